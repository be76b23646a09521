"""Operations on records, through the official client over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pinecone import Index, Pinecone, ServerlessSpec
from pinecone.errors import ApiError, NotFoundError, PayloadTooLargeError, PineconeError

if TYPE_CHECKING:
    from local.index_server import IndexServer

VECTORS: list[Any] = [
    ("a#0", [1.0, 0.0, 0.0], {"source": "a", "ordinal": 0, "tags": ["x", "y"]}),
    ("a#1", [0.9, 0.1, 0.0], {"source": "a", "ordinal": 1}),
    ("b#0", [0.0, 1.0, 0.0], {"source": "b", "ordinal": 0, "tags": ["z"]}),
    ("c#0", [0.0, 0.0, 1.0]),
]


@pytest.fixture
def filled(index: Index) -> Index:
    assert index.upsert(vectors=VECTORS).upserted_count == 4
    return index


def ids(index: Index, namespace: str = "") -> list[str | None]:
    return [item.id for page in index.list(namespace=namespace) for item in page.vectors]


def test_fetch_gives_back_what_was_upserted(filled: Index) -> None:
    fetched = filled.fetch(ids=["a#0", "c#0", "nowhere"])
    assert sorted(fetched.vectors) == ["a#0", "c#0"]
    assert fetched.vectors["a#0"].metadata == {"source": "a", "ordinal": 0, "tags": ["x", "y"]}
    assert fetched.vectors["c#0"].metadata is None
    assert fetched.namespace == "__default__"


def test_values_come_back_as_the_same_float32_in_its_shortest_text(index: Index) -> None:
    values = np.array([0.1, 1 / 3, 3.4e38], np.float32)
    index.upsert(vectors=[("r", values.tolist())])
    fetched = index.fetch(ids=["r"]).vectors["r"].values
    assert np.array(fetched, np.float32).tobytes() == values.tobytes()
    assert fetched[0] == 0.1


def test_upsert_replaces_the_whole_record(filled: Index) -> None:
    filled.upsert(vectors=[("a#0", [0.0, 0.0, 2.0])])
    held = filled.fetch(ids=["a#0"]).vectors["a#0"]
    assert held.values == [0.0, 0.0, 2.0]
    assert held.metadata is None


def test_query_by_vector_ranks_by_cosine(filled: Index) -> None:
    response = filled.query(vector=[2.0, 0.0, 0.0], top_k=2)
    assert [match.id for match in response.matches] == ["a#0", "a#1"]
    assert response.matches[0].score == pytest.approx(1.0)
    assert response.matches[0].values == []
    assert response.matches[0].metadata is None


def test_query_by_id_finds_the_record_itself_first(filled: Index) -> None:
    response = filled.query(id="b#0", top_k=1, include_values=True, include_metadata=True)
    assert response.matches[0].id == "b#0"
    assert response.matches[0].values == [0.0, 1.0, 0.0]
    assert response.matches[0].metadata == {"source": "b", "ordinal": 0, "tags": ["z"]}
    assert filled.query(id="nowhere", top_k=1).matches == []


def test_query_takes_the_filter_language(filled: Index) -> None:
    filter_ = {"$or": [{"tags": {"$in": ["y", "z"]}}, {"ordinal": {"$gte": 1}}], "source": {"$ne": "b"}}
    response = filled.query(vector=[1.0, 1.0, 1.0], top_k=10, filter=filter_)
    assert {match.id for match in response.matches} == {"a#0", "a#1"}
    with pytest.raises(ApiError, match="Invalid filter") as caught:
        filled.query(vector=[1.0, 1.0, 1.0], top_k=10, filter={"source": {"$like": "a"}})
    assert caught.value.status_code == 400


@pytest.mark.parametrize(("metric", "score"), [("dotproduct", 6.0), ("euclidean", 1.0)])
def test_other_metrics_score_as_documented(pinecone: Pinecone, metric: str, score: float) -> None:
    spec = ServerlessSpec(cloud="aws", region="us-east-1")
    pinecone.create_index(name=metric, dimension=2, metric=metric, spec=spec, timeout=-1)
    with pinecone.Index(metric) as index:
        index.upsert(vectors=[("near", [3.0, 0.0]), ("far", [-3.0, 0.0])])
        matches = index.query(vector=[2.0, 0.0], top_k=2).matches
    assert [match.id for match in matches] == ["near", "far"]
    assert matches[0].score == pytest.approx(score)


def test_delete_by_ids_ignores_those_that_are_not_there(filled: Index) -> None:
    filled.delete(ids=["a#0", "nowhere"])
    assert ids(filled) == ["a#1", "b#0", "c#0"]


def test_delete_by_filter_and_delete_all(filled: Index) -> None:
    filled.delete(filter={"source": "a"})
    assert ids(filled) == ["b#0", "c#0"]
    filled.delete(delete_all=True)
    assert ids(filled) == []


def test_update_merges_metadata_and_replaces_values(filled: Index) -> None:
    filled.update(id="a#1", values=[0.0, 3.0, 0.0], set_metadata={"ordinal": 7, "new": True})
    held = filled.fetch(ids=["a#1"]).vectors["a#1"]
    assert held.values == [0.0, 3.0, 0.0]
    assert held.metadata == {"source": "a", "ordinal": 7, "new": True}
    assert filled.update(id="nowhere", set_metadata={"k": 1}).matched_records == 0


def test_update_by_filter_changes_metadata_unless_dry(filled: Index) -> None:
    assert filled.update(filter={"source": "a"}, set_metadata={"seen": "yes"}, dry_run=True).matched_records == 2
    assert filled.query(vector=[1.0, 0.0, 0.0], top_k=9, filter={"seen": "yes"}).matches == []
    filled.update(filter={"source": "a"}, set_metadata={"seen": "yes"})
    found = filled.query(vector=[1.0, 0.0, 0.0], top_k=9, filter={"seen": "yes"}).matches
    assert {match.id for match in found} == {"a#0", "a#1"}


def test_list_gives_every_id_once_in_pages(index: Index) -> None:
    expected = [f"doc#{number:03d}" for number in range(250)]
    index.upsert(vectors=[(record_id, [1.0, 0.0, 0.0]) for record_id in reversed(expected)])
    pages = list(index.list())
    assert [len(page.vectors) for page in pages] == [100, 100, 50]
    assert ids(index) == expected
    page = index.list_paginated(prefix="doc#1", limit=3)
    assert [item.id for item in page.vectors] == ["doc#100", "doc#101", "doc#102"]
    for token in ("no token", "!!!!", "####", "\u00e9"):
        with pytest.raises(ApiError, match="Invalid pagination token"):
            index.list_paginated(pagination_token=token)


@pytest.mark.parametrize("change", [{"values": [1.0]}, {"set_metadata": {"a": {"b": 1}}}])
def test_a_wrong_update_is_refused_also_where_there_is_nothing_to_update(index: Index, change: dict[str, Any]) -> None:
    with pytest.raises(PineconeError):
        index.update(id="nobody", **change)


def test_fetch_by_metadata_gives_pages(filled: Index) -> None:
    first = filled.fetch_by_metadata(filter={"ordinal": {"$exists": True}}, limit=2)
    assert first.pagination is not None
    rest = filled.fetch_by_metadata(
        filter={"ordinal": {"$exists": True}}, limit=2, pagination_token=first.pagination.next
    )
    assert [*first.vectors, *rest.vectors] == ["a#0", "a#1", "b#0"]
    assert rest.pagination is None


def test_stats_count_each_namespace(filled: Index) -> None:
    filled.upsert(vectors=VECTORS[:2], namespace="other")
    stats = filled.describe_index_stats()
    assert {name: summary.vector_count for name, summary in stats.namespaces.items()} == {"__default__": 4, "other": 2}
    assert (stats.total_vector_count, stats.dimension, stats.metric) == (6, 3, "cosine")
    with pytest.raises(ApiError, match="do not support describing index stats with metadata filtering"):
        filled.describe_index_stats(filter={"source": "a"})


def test_the_empty_namespace_is_default_and_others_are_apart(filled: Index) -> None:
    assert ids(filled, "__default__") == ids(filled, "")
    assert ids(filled, "other") == []
    assert filled.query(vector=[1.0, 0.0, 0.0], top_k=1, namespace="other").matches == []
    with pytest.raises(NotFoundError, match="Namespace not found"):
        filled.delete(ids=["a#0"], namespace="other")


def test_a_wrong_record_leaves_the_whole_upsert_undone(index: Index) -> None:
    with pytest.raises(ApiError, match="does not match the dimension of the index 3") as caught:
        index.upsert(vectors=[("good", [1.0, 0.0, 0.0]), ("bad", [1.0])])
    assert caught.value.body == {
        "code": 3,
        "message": "Vector dimension 1 does not match the dimension of the index 3",
        "details": [],
    }
    assert ids(index) == []


def test_a_request_over_2_mb_is_refused_and_the_connection_stays_usable(index: Index) -> None:
    big = {"text": "x" * 30_000}
    with pytest.raises(PayloadTooLargeError, match="larger than the maximum supported size - 2MB"):
        index.upsert(vectors=[(str(number), [1.0, 0.0, 0.0], big) for number in range(100)])
    index.upsert(vectors=[(str(number), [1.0, 0.0, 0.0], big) for number in range(60)])
    assert len(ids(index)) == 60


def test_batched_upserts_from_several_threads_all_arrive(server: IndexServer, index: Index) -> None:
    vectors = [(f"{number:04d}", [1.0, float(number), 0.0]) for number in range(1000)]
    response = index.upsert(vectors=vectors, batch_size=50, show_progress=False)
    assert not response.has_errors
    assert ids(index) == [record_id for record_id, _ in vectors]
    assert server.request_counts()["upsert"] == 20


def test_writes_and_queries_carry_log_sequence_numbers(index: Index) -> None:
    first = index.upsert(vectors=VECTORS[:1]).response_info
    second = index.update(id="a#0", set_metadata={"k": 1}).response_info
    seen = index.query(vector=[1.0, 0.0, 0.0], top_k=1).response_info
    assert first is not None
    assert second is not None
    assert seen is not None
    assert first.lsn_committed is not None
    assert second.lsn_committed == first.lsn_committed + 1
    assert seen.is_reconciled(second.lsn_committed)
    assert not seen.is_reconciled(second.lsn_committed + 1)
