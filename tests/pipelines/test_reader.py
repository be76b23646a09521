"""Reads of a namespace, and the proof that they see what was written."""

from __future__ import annotations

from threading import Timer
from typing import TYPE_CHECKING

import pytest

from local.index_server.faults import Fault
from pipelines.errors import VectorIndexError
from tests.pipelines.test_index import record

if TYPE_CHECKING:
    from local.index_server import IndexServer
    from pipelines.index import VectorIndex
    from pipelines.reader import Reader


def test_ids_are_fetched_in_parts_that_fit_an_address(index: VectorIndex, reader: Reader, server: IndexServer) -> None:
    index.upsert([record(number) for number in range(3)])
    before = index.n_requests
    found = reader.fetch([f"id{number:0200}" for number in range(1_500)] + ["id1"])
    assert {name: (record.values.tolist(), record.metadata) for name, record in found.items()} == {
        "id1": ([1.0, 0.0, 0.0], {})
    }
    assert index.n_requests - before == server.request_counts()["fetch"] == 16
    assert reader.fetch([]) == {}


def test_every_id_is_listed_page_by_page(index: VectorIndex, reader: Reader, server: IndexServer) -> None:
    assert list(reader.list_ids()) == []
    index.upsert([record(number) for number in range(250)])
    assert sorted(reader.list_ids()) == sorted(f"id{number}" for number in range(250))
    assert sorted(reader.list_ids("id24")) == ["id24", *(f"id24{number}" for number in range(10))]
    assert server.request_counts()["list"] == 1 + 3 + 1


def test_writes_are_waited_for_and_no_longer(index: VectorIndex, reader: Reader, server: IndexServer) -> None:
    assert reader.sees_all()  # nothing was written, and nothing is asked
    assert index.n_checks == server.request_counts()["describe_index"]

    server.set_visibility_delay(60)
    index.upsert([record(number) for number in range(3)])
    assert not reader.sees_all(limit_s=0.2)
    assert list(reader.list_ids()) == []
    Timer(0.3, server.set_visibility_delay, [0]).start()
    assert reader.sees_all(limit_s=30)
    assert len(list(reader.list_ids())) == 3

    server.set_visibility_delay(60)
    index.delete(["id0"])
    assert not reader.sees_all(limit_s=0.2)
    server.set_visibility_delay(0)
    assert reader.sees_all(limit_s=0.2)
    n_asked = server.request_counts()["query"] + server.request_counts()["fetch"]
    assert index.n_checks == server.request_counts()["describe_index"] + n_asked


def test_an_index_without_log_sequence_numbers_proves_nothing(index: VectorIndex, reader: Reader) -> None:
    index.upsert([record(1)])
    index.lsn = None
    assert not reader.sees_all()


def test_a_read_that_fails_is_one_line(reader: Reader, server: IndexServer) -> None:
    server.set_faults(Fault("list", status=403))
    with pytest.raises(VectorIndexError, match=r"^list failed with status 403, .*: the key may not do this$"):
        list(reader.list_ids())
