"""Delayed visibility: what is written is safe at once, and seen later; the client's log sequence numbers tell when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from pinecone.errors import NotFoundError

if TYPE_CHECKING:
    from pinecone import Index

    from local.index_server import IndexServer

ONE, TWO = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
LONG_S = 600.0


def seen(index: Index, namespace: str = "") -> list[str | None]:
    return [item.id for page in index.list(namespace=namespace) for item in page.vectors]


def settle(index: Index, server: IndexServer) -> None:
    """Write once more without delay, after which nothing before it may be pending."""
    server.set_visibility_delay(0)
    lsn = index.upsert(vectors=[("last", ONE)]).response_info.lsn_committed  # type: ignore[union-attr]  # it has one
    assert lsn is not None
    while not index.query(vector=ONE, top_k=1).response_info.is_reconciled(lsn):  # type: ignore[union-attr]
        time.sleep(0.01)


def test_reads_of_every_kind_see_a_write_only_after_its_delay(index: Index, server: IndexServer) -> None:
    index.upsert(vectors=[("old", ONE, {"k": 1}), ("kept", TWO)])
    server.set_visibility_delay(0.3)
    index.upsert(vectors=[("new", ONE), ("old", TWO, {"k": 2})])
    committed = index.delete(ids=["kept"])
    assert committed is None

    assert seen(index) == ["kept", "old"]
    assert index.fetch(ids=["old", "new"]).vectors.keys() == {"old"}
    assert index.fetch(ids=["old"]).vectors["old"].metadata == {"k": 1}
    assert [match.id for match in index.query(vector=ONE, top_k=1).matches] == ["old"]
    assert index.describe_index_stats().total_vector_count == 2
    assert index.describe_namespace(name="__default__").record_count == 2
    assert list(index.fetch_by_metadata(filter={"k": 2}).vectors) == []

    settle(index, server)
    assert seen(index) == ["last", "new", "old"]
    assert index.fetch(ids=["old"]).vectors["old"].metadata == {"k": 2}
    assert index.describe_index_stats().total_vector_count == 3


def test_the_log_sequence_number_of_a_query_tells_which_writes_it_saw(index: Index, server: IndexServer) -> None:
    first = index.upsert(vectors=[("a", ONE)]).response_info
    server.set_visibility_delay(LONG_S)
    second = index.upsert(vectors=[("b", ONE)]).response_info
    found = index.query(vector=ONE, top_k=9)
    assert first is not None
    assert second is not None
    assert found.response_info is not None
    assert first.lsn_committed is not None
    assert second.lsn_committed is not None
    assert found.response_info.is_reconciled(first.lsn_committed)
    assert not found.response_info.is_reconciled(second.lsn_committed)
    assert [match.id for match in found.matches] == ["a"]


def test_a_write_works_on_what_is_written_not_on_what_is_seen(index: Index, server: IndexServer) -> None:
    server.set_visibility_delay(0.2)
    index.upsert(vectors=[("r", ONE, {"k": 1}), ("gone", ONE, {"k": 3})], namespace="n")
    index.update(id="r", set_metadata={"more": 2}, namespace="n")
    index.delete(filter={"k": 3}, namespace="n")
    assert seen(index, "n") == []
    with pytest.raises(NotFoundError):
        index.describe_namespace(name="n")
    settle(index, server)
    assert seen(index, "n") == ["r"]
    assert index.fetch(ids=["r"], namespace="n").vectors["r"].metadata == {"k": 1, "more": 2}


def test_a_dropped_namespace_is_seen_until_then_and_may_be_made_again(index: Index, server: IndexServer) -> None:
    index.upsert(vectors=[("r", ONE)], namespace="n")
    server.set_visibility_delay(0.2)
    index.delete_namespace(name="n")
    index.upsert(vectors=[("again", ONE)], namespace="n")
    assert seen(index, "n") == ["r"]
    settle(index, server)
    assert seen(index, "n") == ["again"]


def test_a_restarted_server_sees_all_that_was_answered(index: Index, server: IndexServer) -> None:
    server.set_visibility_delay(LONG_S)
    index.upsert(vectors=[("r", ONE)])
    assert seen(index) == []
    port = server.port
    server.stop()
    server._asked_port = port
    server.start()
    assert seen(index) == ["r"]
