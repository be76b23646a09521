"""Sparse and hybrid indexes, through the official client over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pinecone import Index, Pinecone, ServerlessSpec
from pinecone.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

SPEC = ServerlessSpec(cloud="aws", region="us-east-1")
TERMS = {"indices": [7, 1], "values": [0.5, 0.1]}


@pytest.fixture
def sparse(pinecone: Pinecone) -> Iterator[Index]:
    pinecone.create_index(name="words", vector_type="sparse", metric="dotproduct", spec=SPEC, timeout=-1)
    with pinecone.Index("words") as index:
        assert isinstance(index, Index)
        index.upsert(vectors=[{"id": "r", "sparse_values": TERMS, "metadata": {"k": 1}}])
        index.upsert(vectors=[{"id": "other", "sparse_values": {"indices": [2], "values": [9.0]}}])
        yield index


@pytest.fixture
def hybrid(pinecone: Pinecone) -> Iterator[Index]:
    pinecone.create_index(name="both", dimension=2, metric="dotproduct", spec=SPEC, timeout=-1)
    with pinecone.Index("both") as index:
        assert isinstance(index, Index)
        index.upsert(vectors=[{"id": "r", "values": [1.0, 0.0], "sparse_values": TERMS}, ("dense", [0.5, 0.0])])
        yield index


def held(index: Index, record_id: str) -> dict[str, Any]:
    found = index.fetch(ids=[record_id]).vectors[record_id]
    sparse = found.sparse_values
    return {"values": found.values, "sparse": sparse and {"indices": sparse.indices, "values": sparse.values}}


def test_a_sparse_index_is_described_as_one(pinecone: Pinecone, sparse: Index) -> None:
    described = pinecone.describe_index("words")
    assert (described.vector_type, described.metric, described.dimension) == ("sparse", "dotproduct", None)
    stats = sparse.describe_index_stats()
    assert (stats.vector_type, stats.dimension, stats.total_vector_count) == ("sparse", None, 2)


def test_a_sparse_query_finds_what_shares_a_dimension_with_it(sparse: Index) -> None:
    query = {"indices": [7, 100], "values": [2.0, 1.0]}
    (match,) = sparse.query(sparse_vector=query, top_k=5, include_values=True, include_metadata=True).matches
    assert (match.id, match.score, match.metadata) == ("r", 1.0, {"k": 1})
    assert match.sparse_values is not None
    assert (match.sparse_values.indices, match.sparse_values.values) == ([7, 1], [0.5, 0.1])
    assert [found.id for found in sparse.query(id="r", top_k=5).matches] == ["r"]
    assert held(sparse, "r") == {"values": [], "sparse": TERMS}


def test_a_sparse_index_refuses_dense_values(sparse: Index) -> None:
    with pytest.raises(ApiError, match="holds sparse vectors only"):
        sparse.upsert(vectors=[{"id": "r", "values": [1.0], "sparse_values": TERMS}])
    with pytest.raises(ApiError, match="is searched with sparse values"):
        sparse.query(vector=[1.0], top_k=1)


def test_a_hybrid_query_adds_both_products(hybrid: Index) -> None:
    query = {"indices": [7], "values": [4.0]}
    matches = hybrid.query(vector=[1.0, 1.0], sparse_vector=query, top_k=5).matches
    assert [(match.id, match.score) for match in matches] == [("r", 1.0 + 2.0), ("dense", 0.5)]
    assert [match.id for match in hybrid.query(vector=[1.0, 1.0], top_k=5).matches] == ["r", "dense"]
    (first, _) = hybrid.query(id="r", top_k=5).matches
    assert first.score == pytest.approx(1.0 + 0.26)
    with pytest.raises(ApiError, match="is searched with dense values"):
        hybrid.query(sparse_vector=query, top_k=1)


def test_an_update_replaces_sparse_values_and_leaves_the_rest(hybrid: Index) -> None:
    hybrid.update(id="r", sparse_values={"indices": [3], "values": [1.0]})
    assert held(hybrid, "r") == {"values": [1.0, 0.0], "sparse": {"indices": [3], "values": [1.0]}}
    hybrid.update(id="r", values=[0.0, 1.0])
    assert held(hybrid, "r") == {"values": [0.0, 1.0], "sparse": {"indices": [3], "values": [1.0]}}


def test_other_metrics_keep_sparse_values_and_cannot_be_searched_by_them(index: Index) -> None:
    index.upsert(vectors=[{"id": "r", "values": [1.0, 0.0, 0.0], "sparse_values": TERMS}])
    assert held(index, "r")["sparse"] == TERMS
    with pytest.raises(ApiError, match="Index configuration does not support sparse values") as caught:
        index.query(vector=[1.0, 0.0, 0.0], sparse_vector=TERMS, top_k=1)
    assert caught.value.status_code == 400


def test_an_index_may_declare_both_fields(pinecone: Pinecone) -> None:
    fields = {
        "_values": {"type": "dense_vector", "dimension": 2, "metric": "dotproduct"},
        "_sparse_values": {"type": "sparse_vector"},
    }
    created = pinecone.indexes.create(name="declared", schema={"fields": fields}, timeout=-1)
    assert set(created.schema.fields) == {"_values", "_sparse_values"}
    assert created == pinecone.describe_index("declared")
