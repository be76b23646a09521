"""Operations on namespaces, through the official client over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pinecone.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from pinecone import Index

VECTOR = [1.0, 0.0, 0.0]


def test_a_namespace_is_made_by_its_first_upsert_or_by_hand(index: Index) -> None:
    index.upsert(vectors=[("r", VECTOR)], namespace="by upsert")
    assert index.create_namespace(name="by hand").record_count == 0
    assert index.describe_namespace(name="by upsert").record_count == 1
    with pytest.raises(ConflictError, match="already exists"):
        index.create_namespace(name="by hand")


def test_namespaces_are_listed_in_pages(index: Index) -> None:
    for name in ("a/1", "a/2", "a/3", "b"):
        index.create_namespace(name=name)
    pages = list(index.list_namespaces(prefix="a/", limit=2))
    assert [[namespace.name for namespace in page] for page in pages] == [["a/1", "a/2"], ["a/3"]]
    assert pages[0].total_count == 3


def test_a_deleted_namespace_is_gone_with_its_records(index: Index) -> None:
    index.upsert(vectors=[("r", VECTOR)], namespace="a/b %2F")
    index.delete_namespace(name="a/b %2F")
    assert index.describe_index_stats().namespaces == {}
    with pytest.raises(NotFoundError, match="Namespace not found"):
        index.describe_namespace(name="a/b %2F")
    assert index.fetch(ids=["r"], namespace="a/b %2F").vectors == {}
