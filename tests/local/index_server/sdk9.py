"""What the SDK of a year ago (9.x, API 2025-10) does with our server; run by `test_sdk9`, in an environment of its own.

Usage: sdk9.py URL KEY. Ends with status 0 if every answer was the expected one.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pinecone
from pinecone import Pinecone, PineconeAsyncio, ServerlessSpec
from pinecone.errors import ApiError, ConflictError, ForbiddenError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

ONE, TWO = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
SPEC = ServerlessSpec(cloud="gcp", region="europe-west4")
TERMS = {"indices": [7, 1], "values": [0.5, 0.25]}


def refused(error: type[Exception], operation: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    try:
        operation(*arguments, **named)
    except error as caught:
        return str(caught)
    raise AssertionError(f"{operation} should have raised {error}")


def control_plane(pc: Pinecone) -> None:
    created = pc.create_index(name="docs", dimension=3, metric="cosine", spec=SPEC, tags={"a": "1"}, timeout=-1)
    assert created == pc.describe_index("docs")
    assert (created.dimension, created.metric, created.vector_type) == (3, "cosine", "dense")
    assert (created.spec.serverless.cloud, created.spec.serverless.region) == ("gcp", "europe-west4")
    assert created.status.ready
    assert [index.name for index in pc.list_indexes()] == ["docs"]
    assert pc.has_index("docs")
    refused(ConflictError, pc.create_index, name="docs", dimension=3, spec=SPEC, timeout=-1)
    pc.configure_index("docs", deletion_protection="enabled", tags={"b": "2"})
    assert pc.describe_index("docs").tags == {"a": "1", "b": "2"}
    refused(ForbiddenError, pc.delete_index, "docs")
    pc.configure_index("docs", deletion_protection="disabled")

    sparse = pc.create_index(name="words", vector_type="sparse", metric="dotproduct", spec=SPEC, timeout=-1)
    assert (sparse.dimension, sparse.metric, sparse.vector_type) == (None, "dotproduct", "sparse")
    with pc.Index("words") as index:
        index.upsert(vectors=[{"id": "r", "sparse_values": TERMS}])
        (match,) = index.query(sparse_vector={"indices": [7], "values": [2.0]}, top_k=3, include_values=True).matches
        assert (match.id, match.score, match.sparse_values.indices) == ("r", 1.0, [7, 1])
    pc.delete_index("words")
    refused(NotFoundError, pc.describe_index, "words")


def data_plane(pc: Pinecone) -> None:
    with pc.Index("docs") as index:
        written = index.upsert(vectors=[("a", ONE, {"k": 1}), ("b", TWO, {"k": 2, "t": ["x"]})], namespace="n")
        assert written.upserted_count == 2
        found = index.query(vector=ONE, top_k=2, namespace="n", include_metadata=True, filter={"k": {"$lt": 2}})
        assert [(match.id, match.score, match.metadata) for match in found.matches] == [("a", 1.0, {"k": 1})]
        assert [match.id for match in index.query(id="b", top_k=1, namespace="n").matches] == ["b"]
        index.update(id="a", set_metadata={"new": True}, namespace="n")
        assert index.fetch(ids=["a", "nowhere"], namespace="n").vectors["a"].metadata == {"k": 1, "new": True}
        assert list(index.fetch_by_metadata(filter={"t": "x"}, namespace="n").vectors) == ["b"]
        pages = list(index.list(prefix="", limit=1, namespace="n"))
        assert [item.id for page in pages for item in page.vectors] == ["a", "b"]
        stats = index.describe_index_stats()
        assert (stats.total_vector_count, stats.dimension, stats.namespaces["n"].vector_count) == (2, 3, 2)
        assert index.create_namespace(name="made").record_count == 0
        assert [it.name for page in index.list_namespaces() for it in page.namespaces] == ["made", "n"]
        assert index.describe_namespace(name="n").record_count == 2
        index.delete(ids=["a"], namespace="n")
        index.delete(filter={"k": 2}, namespace="n")
        assert index.describe_namespace(name="n").record_count == 0
        index.delete_namespace(name="n")
        refused(NotFoundError, index.delete, delete_all=True, namespace="n")
        assert "does not match the dimension" in refused(ApiError, index.upsert, vectors=[("a", [1.0])])
        assert "does not serve" in refused(ApiError, index.start_import, "s3://bucket/folder")
    assert "does not serve" in refused(ApiError, pc.inference.embed, "m", ["text"], {"input_type": "query"})


async def data_plane_async(url: str, key: str) -> None:
    async with PineconeAsyncio(api_key=key, host=url) as pc:
        described = await pc.describe_index("docs")
        async with pc.IndexAsyncio(host=described.host) as index:
            await index.upsert(vectors=[("a", ONE), ("b", TWO)], namespace="async")
            found = await index.query(vector=TWO, top_k=1, namespace="async")
            assert [match.id for match in found.matches] == ["b"]
            assert (await index.fetch(ids=["a"], namespace="async")).vectors["a"].values == ONE
            await index.delete(delete_all=True, namespace="async")


def main(url: str, key: str) -> None:
    assert pinecone.__version__.startswith("9."), pinecone.__version__
    with Pinecone(api_key=key, host=url) as pc:
        control_plane(pc)
        data_plane(pc)
        asyncio.run(data_plane_async(url, key))
        pc.delete_index("docs")
        assert list(pc.list_indexes()) == []


if __name__ == "__main__":
    main(*sys.argv[1:])
