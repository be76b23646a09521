"""Operations on indexes, through the official client over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pinecone import Index, Pinecone, ServerlessSpec
from pinecone.errors import ApiError, ConflictError, ForbiddenError, NotFoundError

if TYPE_CHECKING:
    from local.index_server import IndexServer

SPEC = ServerlessSpec(cloud="gcp", region="europe-west4")


SPARSE = {"type": "sparse_vector"}


def create(pinecone: Pinecone, name: str = "docs", **more: Any) -> Any:
    return pinecone.create_index(**{"name": name, "dimension": 3, "metric": "dotproduct", "spec": SPEC, **more})


def test_an_index_is_described_as_it_was_created(server: IndexServer, pinecone: Pinecone) -> None:
    created = create(pinecone, tags={"team": "search"})
    assert created == pinecone.describe_index("docs")
    assert created.host == f"{server.url}/indexes/docs"
    assert (created.dimension, created.metric, created.vector_type) == (3, "dotproduct", "dense")
    assert (created.spec.serverless.cloud, created.spec.serverless.region) == ("gcp", "europe-west4")
    assert (created.status.ready, created.deletion_protection, created.tags) == (True, "disabled", {"team": "search"})


def test_indexes_are_listed_and_apart(pinecone: Pinecone) -> None:
    for name in ("two", "one"):
        create(pinecone, name)
    assert [index.name for index in pinecone.list_indexes()] == ["one", "two"]
    with pinecone.Index("one") as one, pinecone.Index("two") as two:
        one.upsert(vectors=[("r", [1.0, 0.0, 0.0])])
        assert two.describe_index_stats().total_vector_count == 0
    assert pinecone.has_index("one")
    assert not pinecone.has_index("three")


def test_a_taken_name_is_a_conflict(pinecone: Pinecone) -> None:
    create(pinecone)
    with pytest.raises(ConflictError, match="already exists") as caught:
        create(pinecone)
    assert caught.value.body == {
        "error": {"code": "ALREADY_EXISTS", "message": "Resource docs already exists"},
        "status": 409,
    }


def test_a_deleted_index_is_gone_with_its_records(pinecone: Pinecone, index: Index) -> None:
    index.upsert(vectors=[("r", [1.0, 0.0, 0.0])])
    pinecone.delete_index("docs")
    for call in (pinecone.describe_index, pinecone.delete_index):
        with pytest.raises(NotFoundError, match="Resource docs not found"):
            call("docs")
    with pytest.raises(NotFoundError):
        index.query(vector=[1.0, 0.0, 0.0], top_k=1)
    create(pinecone)
    assert index.describe_index_stats().total_vector_count == 0


def test_configure_merges_tags_and_protects_from_deletion(pinecone: Pinecone) -> None:
    create(pinecone, tags={"a": "1", "b": "2"})
    pinecone.configure_index("docs", deletion_protection="enabled", tags={"a": "", "c": "3"})
    described = pinecone.describe_index("docs")
    assert described.tags == {"b": "2", "c": "3"}
    with pytest.raises(ForbiddenError, match="Deletion protection is enabled"):
        pinecone.delete_index("docs")
    pinecone.configure_index("docs", deletion_protection="disabled")
    pinecone.delete_index("docs")
    assert not pinecone.has_index("docs")


@pytest.mark.parametrize(
    ("schema", "status"),
    [
        ({"fields": {"_values": {"type": "dense_vector", "dimension": 0, "metric": "cosine"}}}, 400),
        ({"fields": {"_values": {"type": "dense_vector", "dimension": 20_001, "metric": "cosine"}}}, 400),
        ({"fields": {"_values": {"type": "dense_vector", "dimension": 3, "metric": "hamming"}}}, 400),
        ({"fields": {"_values": {"type": "dense_vector", "metric": "cosine"}}}, 400),
        ({"fields": {"_values": {"type": "dense_vector", "dimension": 3}, "_sparse_values": SPARSE}}, 400),
        ({"fields": {"_values": SPARSE}}, 501),
        ({"fields": {"_sparse_values": SPARSE, "mine": {"type": "string"}}}, 501),
        ({"fields": {"mine": {"type": "dense_vector", "dimension": 3, "metric": "cosine"}}}, 501),
    ],
)
def test_an_index_we_cannot_serve_is_refused(pinecone: Pinecone, schema: dict[str, Any], status: int) -> None:
    with pytest.raises(ApiError) as caught:
        pinecone.indexes.create(name="docs", schema=schema, timeout=-1)
    assert caught.value.status_code == status
    assert list(pinecone.list_indexes()) == []
