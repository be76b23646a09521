"""Every operation of the official SDK against our server, sync and async: done, or a clear 501.

`SERVED` and `NOT_SERVED` name each public method of the clients; a method that a newer SDK adds fails a test here until
it is put into one of them. Assistants are another product with another host, and gRPC another transport.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pinecone import AsyncPinecone, Pinecone, ServerlessSpec
from pinecone.errors import ApiError

from tests.local.index_server.conftest import KEY

if TYPE_CHECKING:
    from local.index_server import IndexServer

SPEC = ServerlessSpec(cloud="aws", region="us-east-1")
ONE = [1.0, 0.0, 0.0]
NEW = {"name": "new", "dimension": 3, "metric": "cosine", "spec": SPEC, "timeout": -1}
SCHEMA = {"fields": {"_values": {"type": "dense_vector", "dimension": 3, "metric": "cosine"}}}
EMBED = {"model": "multilingual-e5-large", "field_map": {"text": "chunk_text"}}
FRAME = pd.DataFrame([{"id": "f", "values": ONE, "metadata": {"k": 1}}])

# Name -> the call. `pc` is a client, `ix` its client of the index "docs", which holds "a" and "b" in "n".
SERVED: dict[str, Callable[[Any, Any], Any]] = {
    "configure_index": lambda pc, _: pc.configure_index("docs", tags={"a": "1"}),
    "create_index": lambda pc, _: pc.create_index(**NEW),
    "delete_index": lambda pc, _: pc.delete_index("docs"),
    "describe_index": lambda pc, _: pc.describe_index("docs"),
    "has_index": lambda pc, _: pc.has_index("docs"),
    "list_indexes": lambda pc, _: pc.list_indexes(),
    "indexes.configure": lambda pc, _: pc.indexes.configure("docs", deletion_protection="enabled"),
    "indexes.create": lambda pc, _: pc.indexes.create(name="new", schema=SCHEMA, timeout=-1),
    "indexes.delete": lambda pc, _: pc.indexes.delete("docs"),
    "indexes.describe": lambda pc, _: pc.indexes.describe("docs"),
    "indexes.exists": lambda pc, _: pc.indexes.exists("docs"),
    "indexes.list": lambda pc, _: pc.indexes.list(),
    "index.create_namespace": lambda _, ix: ix.create_namespace(name="made"),
    "index.delete": lambda _, ix: ix.delete(ids=["a"], namespace="n"),
    "index.delete_namespace": lambda _, ix: ix.delete_namespace(name="n"),
    "index.describe_index_stats": lambda _, ix: ix.describe_index_stats(),
    "index.describe_namespace": lambda _, ix: ix.describe_namespace(name="n"),
    "index.fetch": lambda _, ix: ix.fetch(ids=["a"], namespace="n"),
    "index.fetch_by_metadata": lambda _, ix: ix.fetch_by_metadata(filter={"k": 1}, namespace="n"),
    "index.list": lambda _, ix: ix.list(prefix="a", namespace="n"),
    "index.list_namespaces": lambda _, ix: ix.list_namespaces(),
    "index.list_namespaces_paginated": lambda _, ix: ix.list_namespaces_paginated(limit=1),
    "index.list_paginated": lambda _, ix: ix.list_paginated(limit=1, namespace="n"),
    "index.query": lambda _, ix: ix.query(vector=ONE, top_k=1, namespace="n"),
    "index.query_namespaces": lambda _, ix: ix.query_namespaces(vector=ONE, namespaces=["n", "m"], metric="cosine"),
    "index.update": lambda _, ix: ix.update(id="a", set_metadata={"k": 2}, namespace="n"),
    "index.upsert": lambda _, ix: ix.upsert(vectors=[("c", ONE)], namespace="n"),
    "index.upsert_from_dataframe": lambda _, ix: ix.upsert_from_dataframe(FRAME, show_progress=False),
}
NOT_SERVED: dict[str, Callable[[Any, Any], Any]] = {
    "create_backup": lambda pc, _: pc.create_backup(index_name="docs"),
    "create_collection": lambda pc, _: pc.create_collection("c", "docs"),
    "create_index_for_model": lambda pc, _: pc.create_index_for_model("new", "aws", "us-east-1", EMBED),
    "create_index_from_backup": lambda pc, _: pc.create_index_from_backup(name="new", backup_id="b"),
    "delete_backup": lambda pc, _: pc.delete_backup(backup_id="b"),
    "delete_collection": lambda pc, _: pc.delete_collection("c"),
    "describe_backup": lambda pc, _: pc.describe_backup(backup_id="b"),
    "describe_collection": lambda pc, _: pc.describe_collection("c"),
    "describe_restore_job": lambda pc, _: pc.describe_restore_job(job_id="j"),
    "list_backups": lambda pc, _: pc.list_backups(),
    "list_collections": lambda pc, _: pc.list_collections(),
    "list_restore_jobs": lambda pc, _: pc.list_restore_jobs(),
    "indexes.create_backup": lambda pc, _: pc.indexes.create_backup("docs"),
    "indexes.create_for_model": lambda pc, _: pc.indexes.create_for_model(
        name="new", cloud="aws", region="us-east-1", embed=EMBED
    ),
    "indexes.describe_backup": lambda pc, _: pc.indexes.describe_backup("b"),
    "indexes.list_backups": lambda pc, _: pc.indexes.list_backups("docs"),
    "backups.create": lambda pc, _: pc.backups.create(index_name="docs"),
    "backups.delete": lambda pc, _: pc.backups.delete(backup_id="b"),
    "backups.describe": lambda pc, _: pc.backups.describe(backup_id="b"),
    "backups.get": lambda pc, _: pc.backups.get(backup_id="b"),
    "backups.list": lambda pc, _: pc.backups.list(),
    "backup_schedules.create": lambda pc, _: pc.backup_schedules.create(
        index_name="docs", name="s", frequency="daily", retention_days=1
    ),
    "backup_schedules.delete": lambda pc, _: pc.backup_schedules.delete(schedule_id="s"),
    "backup_schedules.describe": lambda pc, _: pc.backup_schedules.describe(schedule_id="s"),
    "backup_schedules.get": lambda pc, _: pc.backup_schedules.get(schedule_id="s"),
    "backup_schedules.history": lambda pc, _: pc.backup_schedules.history(schedule_id="s"),
    "backup_schedules.iter_history": lambda pc, _: pc.backup_schedules.iter_history(schedule_id="s"),
    "backup_schedules.iter_schedules": lambda pc, _: pc.backup_schedules.iter_schedules(index_name="docs"),
    "backup_schedules.list": lambda pc, _: pc.backup_schedules.list(index_name="docs"),
    "backup_schedules.update": lambda pc, _: pc.backup_schedules.update(schedule_id="s", enabled=True),
    "collections.create": lambda pc, _: pc.collections.create(name="c", source="docs"),
    "collections.delete": lambda pc, _: pc.collections.delete("c"),
    "collections.describe": lambda pc, _: pc.collections.describe("c"),
    "collections.list": lambda pc, _: pc.collections.list(),
    "inference.embed": lambda pc, _: pc.inference.embed("multilingual-e5-large", ["text"], {"input_type": "passage"}),
    "inference.get_model": lambda pc, _: pc.inference.get_model(model="m"),
    "inference.list_models": lambda pc, _: pc.inference.list_models(),
    "inference.rerank": lambda pc, _: pc.inference.rerank("bge-reranker-v2-m3", "q", ["d"]),
    "restore_jobs.describe": lambda pc, _: pc.restore_jobs.describe(job_id="j"),
    "restore_jobs.list": lambda pc, _: pc.restore_jobs.list(),
    "index.cancel_import": lambda _, ix: ix.cancel_import("1"),
    "index.describe_import": lambda _, ix: ix.describe_import("1"),
    "index.list_imports": lambda _, ix: ix.list_imports(),
    "index.list_imports_paginated": lambda _, ix: ix.list_imports_paginated(),
    "index.search": lambda _, ix: ix.search(namespace="n", top_k=1, inputs={"text": "q"}),
    "index.search_records": lambda _, ix: ix.search_records(namespace="n", top_k=1, inputs={"text": "q"}),
    "index.start_import": lambda _, ix: ix.start_import("s3://bucket/folder"),
    "index.upsert_records": lambda _, ix: ix.upsert_records(
        records=[{"_id": "r", "chunk_text": "t"}, {"_id": "s", "chunk_text": "t"}], namespace="n"
    ),
    "index.documents.batch_upsert": lambda _, ix: ix.documents.batch_upsert(
        namespace="n", documents=[{"_id": "d"}], show_progress=False
    ),
    "index.documents.delete": lambda _, ix: ix.documents.delete(namespace="n", ids=["d"]),
    "index.documents.fetch": lambda _, ix: ix.documents.fetch(namespace="n", ids=["d"]),
    "index.documents.list": lambda _, ix: ix.documents.list(namespace="n"),
    "index.documents.search": lambda _, ix: ix.documents.search(
        namespace="n", top_k=1, score_by=[{"type": "text", "query": "q", "fields": ["t"]}]
    ),
    "index.documents.update": lambda _, ix: ix.documents.update(namespace="n", documents=[{"_id": "d", "k": 1}]),
    "index.documents.upsert": lambda _, ix: ix.documents.upsert(namespace="n", documents=[{"_id": "d"}]),
}
# No operations: constructors of clients, their end, and namespaces of constants.
_NO_OPERATIONS = {"Index", "IndexAsyncio", "assistant", "close", "index", "EmbedModel", "RerankModel"}
_PARTS = ("indexes", "backups", "backup_schedules", "collections", "inference", "restore_jobs")


def fill(server: IndexServer) -> None:
    with Pinecone(api_key=KEY, host=server.url, ssl_verify=False) as pinecone:
        pinecone.create_index(**{**NEW, "name": "docs"})
        with pinecone.Index("docs") as index:
            index.upsert(vectors=[("a", ONE, {"k": 1}), ("b", [0.0, 1.0, 0.0])], namespace="n")


def call(server: IndexServer, operation: Callable[[Any, Any], Any]) -> Any:
    with (
        Pinecone(api_key=KEY, host=server.url, ssl_verify=False) as pinecone,
        pinecone.Index(host=f"{server.url}/indexes/docs") as index,
    ):
        answer = operation(pinecone, index)
        return list(answer) if isinstance(answer, Iterable) and not hasattr(answer, "to_dict") else answer


def call_async(server: IndexServer, operation: Callable[[Any, Any], Any]) -> Any:
    async def run() -> Any:
        async with AsyncPinecone(api_key=KEY, host=server.url, ssl_verify=False) as pinecone:
            index = pinecone.index(host=f"{server.url}/indexes/docs")
            async with await index if inspect.isawaitable(index) else index as opened:
                answer = operation(pinecone, opened)
                answer = await answer if inspect.isawaitable(answer) else answer
                return [it async for it in answer] if isinstance(answer, AsyncIterable) else answer

    return asyncio.run(run())


def raise_collected(answer: Any) -> None:
    """Raise what a bulk operation collected in place of raising it."""
    for failed in getattr(answer, "errors", ()):
        raise failed.error


CALLS = pytest.mark.parametrize("ask", [call, call_async], ids=["sync", "async"])


@CALLS
@pytest.mark.parametrize("name", SERVED)
def test_it_is_served(server: IndexServer, name: str, ask: Callable[..., Any]) -> None:
    fill(server)
    before = server.request_counts()
    answer = ask(server, SERVED[name])
    assert server.request_counts() != before
    assert not isinstance(answer, list) or answer


@CALLS
@pytest.mark.parametrize("name", NOT_SERVED)
def test_it_is_refused_with_a_501_that_says_so(server: IndexServer, name: str, ask: Callable[..., Any]) -> None:
    fill(server)
    with pytest.raises(ApiError, match="the local index server does not serve") as caught:
        raise_collected(ask(server, NOT_SERVED[name]))
    assert caught.value.status_code == 501


@pytest.mark.parametrize("kind", [Pinecone, AsyncPinecone])
def test_every_method_of_the_sdk_is_in_one_of_the_two_tables(kind: Any) -> None:
    client = kind(api_key=KEY, host="http://127.0.0.1:9", ssl_verify=False)
    index = Pinecone(api_key=KEY, host="http://127.0.0.1:9").Index(host="http://127.0.0.1:9")
    places = {"": client, "index.": index, "index.documents.": index.documents}
    places |= {f"{part}.": getattr(client, part) for part in _PARTS}
    public = {
        f"{prefix}{name}"
        for prefix, place in places.items()
        for name in dir(place)
        if not name.startswith("_") and name not in _NO_OPERATIONS and callable(getattr(place, name))
    }
    assert public - {"inference.model"} == SERVED.keys() | NOT_SERVED.keys()
    assert not SERVED.keys() & NOT_SERVED.keys()
