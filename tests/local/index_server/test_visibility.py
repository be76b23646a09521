"""Delayed visibility: what is written is safe at once, and seen later; the client's log sequence numbers tell when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pinecone.errors import NotFoundError

from local.index_server.space import Space

if TYPE_CHECKING:
    from pinecone import Index

    from local.index_server import IndexServer

ONE, TWO = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
LONG_S = 600.0


def seen(index: Index, namespace: str = "") -> list[str | None]:
    return [item.id for page in index.list(namespace=namespace) for item in page.vectors]


class Clock:
    """The server's, which a test puts forward."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("local.index_server.index.monotonic", clock)
    return clock


def test_reads_of_every_kind_see_a_write_only_after_its_delay(index: Index, server: IndexServer, clock: Clock) -> None:
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

    clock.now += 0.3
    assert seen(index) == ["new", "old"]
    assert index.fetch(ids=["old"]).vectors["old"].metadata == {"k": 2}
    assert index.describe_index_stats().total_vector_count == 2


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


def test_a_write_works_on_what_is_written_not_on_what_is_seen(index: Index, server: IndexServer, clock: Clock) -> None:
    server.set_visibility_delay(0.2)
    index.upsert(vectors=[("r", ONE, {"k": 1}), ("gone", ONE, {"k": 3})], namespace="n")
    index.update(id="r", set_metadata={"more": 2}, namespace="n")
    index.delete(filter={"k": 3}, namespace="n")
    assert seen(index, "n") == []
    with pytest.raises(NotFoundError):
        index.describe_namespace(name="n")
    clock.now += 0.2
    assert seen(index, "n") == ["r"]
    assert index.fetch(ids=["r"], namespace="n").vectors["r"].metadata == {"k": 1, "more": 2}


def test_a_dropped_namespace_is_seen_until_then_and_may_be_made_again(
    index: Index, server: IndexServer, clock: Clock
) -> None:
    index.upsert(vectors=[("r", ONE)], namespace="n")
    server.set_visibility_delay(0.2)
    index.delete_namespace(name="n")
    index.upsert(vectors=[("again", ONE)], namespace="n")
    assert seen(index, "n") == ["r"]
    clock.now += 0.2
    assert seen(index, "n") == ["again"]


def test_a_shorter_delay_holds_for_what_is_pending_too(index: Index, server: IndexServer) -> None:
    server.set_visibility_delay(LONG_S)
    index.upsert(vectors=[("a", ONE)])
    assert seen(index) == []
    server.set_visibility_delay(0)
    assert seen(index) == ["a"]


def test_a_write_that_falls_due_while_a_query_runs_is_neither_found_nor_claimed(
    index: Index, server: IndexServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.upsert(vectors=[("a", ONE)])
    server.set_visibility_delay(1)
    late = index.upsert(vectors=[("b", ONE)]).response_info
    nearest = Space.nearest

    def slow(*args: Any) -> Any:
        clock.now += 2
        return nearest(*args)

    monkeypatch.setattr(Space, "nearest", slow)
    found = index.query(vector=ONE, top_k=9)
    assert [match.id for match in found.matches] == ["a"]
    assert late is not None
    assert late.lsn_committed is not None
    assert found.response_info is not None
    assert not found.response_info.is_reconciled(late.lsn_committed)


def test_a_restarted_server_sees_all_that_was_answered(index: Index, server: IndexServer) -> None:
    server.set_visibility_delay(LONG_S)
    index.upsert(vectors=[("r", ONE)])
    assert seen(index) == []
    port = server.port
    server.stop()
    server._asked_port = port
    server.start()
    assert seen(index) == ["r"]
