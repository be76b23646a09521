"""The data plane: operations on the records of one index, which the caller holds meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from local.index_server import fields as read
from local.index_server import limits
from local.index_server.fields import Fields, Reply
from local.index_server.filters import Predicate, compile_filter
from local.index_server.limits import Record
from local.index_server.refusals import invalid
from local.index_server.vectors import check_dense, check_sparse, shortest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.index_server.index import Index
    from local.index_server.space import Space
    from local.index_server.vectors import FloatArray, SparseVector

MAX_PAGE_IDS: Final = 100
MAX_PAGE_RECORDS: Final = 10_000
_READ_USAGE: Final = {"usage": {"readUnits": 1}}


def upsert(index: Index, fields: Fields) -> Reply:
    """POST /vectors/upsert: all of the records, or none."""
    namespace = read.namespace(fields)
    index.write(namespace, puts=limits.check_records(fields, index.spec.dimension).values())
    return _written(index, upsertedCount=len(fields["vectors"]))


def query(index: Index, fields: Fields) -> Reply:
    """POST /query: by vector, or by the id of a record, which is then among the matches itself."""
    space, lsn = index.look(read.namespace(fields))
    top_k = read.integer(fields, "topK", low=1, high=limits.MAX_TOP_K)
    values, metadata = read.flag(fields, "includeValues"), read.flag(fields, "includeMetadata")
    dense, sparse = _query_vectors(index, space, fields)
    wanted = dense is not None or sparse is not None
    found = space.nearest(dense, sparse, index.spec.metric, top_k, _filter(fields)) if wanted else []
    matches = [{**_shown(record, values=values, metadata=metadata), "score": score} for record, score in found]
    body = {"matches": matches, "namespace": read.namespace(fields), **_READ_USAGE}
    # Queries only: the service's fetch answers carry no position, and code that waits on one must fail here too.
    return Reply(body, headers={"x-pinecone-lsn-reconciled": str(lsn)})


def fetch(index: Index, fields: Fields) -> Reply:
    """GET /vectors/fetch: records by id; an id that is not there is left out."""
    space = index.space(read.namespace(fields))
    return _records(fields, (space.get(record_id) for record_id in limits.check_ids(fields)))


def fetch_by_metadata(index: Index, fields: Fields) -> Reply:
    """POST /vectors/fetch_by_metadata: records that match a filter, in pages."""
    matches = _required_filter(fields, "Empty filter provided for fetch by metadata request")
    limit = read.integer(fields, "limit", default=100, low=1, high=MAX_PAGE_RECORDS)
    after = read.page_start(fields)
    space = index.space(read.namespace(fields))
    found = [record_id for record_id in space.matching(matches) if record_id > after]
    reply = _records(fields, (space.get(record_id) for record_id in found[:limit]))
    return Reply({**reply.body, **read.page_body(found[:limit][-1] if found else "", more=len(found) > limit)})


def delete(index: Index, fields: Fields) -> Reply:
    """POST /vectors/delete: by ids, by filter, or all; an id that is not there is no error, a namespace is."""
    namespace = read.namespace(fields)
    space = index.existing_space(namespace)
    delete_all, by_filter = read.flag(fields, "deleteAll"), fields.get("filter") is not None
    if delete_all + by_filter + bool(fields.get("ids")) != 1:
        raise invalid("Provide exactly one of ids, filter and deleteAll")
    if delete_all:
        removals = space.ids(prefix="", after="", limit=len(space))
    elif by_filter:
        removals = space.matching(_required_filter(fields, "Delete with empty metadata filter is not allowed"))
    else:
        removals = limits.check_ids(fields)
    index.write(namespace, removals=removals)
    return _written(index)


def update(index: Index, fields: Fields) -> Reply:
    """POST /vectors/update: values and metadata of one record, or metadata of all that match a filter.

    ``setMetadata`` is merged key by key into what the record has. A record that is not there is no error.
    """
    namespace = read.namespace(fields)
    space = index.existing_space(namespace)
    _updated(Record("any", None, {}), fields, index.spec.dimension)  # refused also where no record is found
    by_id = fields.get("id") is not None
    if by_id == (fields.get("filter") is not None):
        raise invalid("Provide exactly one of id and filter")
    if by_id:
        found = [limits.check_id(fields["id"])]
    elif fields.get("values") or fields.get("sparseValues") is not None:
        raise invalid("Update by metadata request does not support updating vector values")
    else:
        found = space.matching(_required_filter(fields, "Update with empty metadata filter is not allowed"))
    records = [record for record in map(space.get, found) if record is not None]
    if not read.flag(fields, "dryRun"):
        index.write(namespace, puts=[_updated(record, fields, index.spec.dimension) for record in records])
    return _written(index, matchedRecords=len(records))


def list_ids(index: Index, fields: Fields) -> Reply:
    """GET /vectors/list: ids with a prefix, in code point order, in pages."""
    namespace, prefix = read.namespace(fields), read.text(fields, "prefix")
    limit = read.integer(fields, "limit", default=MAX_PAGE_IDS, low=1, high=MAX_PAGE_IDS)
    ids = index.space(namespace).ids(prefix, read.page_start(fields), limit + 1)
    page = ids[:limit]
    body = {"vectors": [{"id": record_id} for record_id in page], "namespace": namespace, **_READ_USAGE}
    return Reply({**body, **read.page_body(page[-1] if page else "", more=len(ids) > limit)})


def describe_index_stats(index: Index, fields: Fields) -> Reply:
    """POST /describe_index_stats: how many records each namespace holds."""
    if fields.get("filter"):
        raise invalid("Serverless and Starter indexes do not support describing index stats with metadata filtering")
    counts = {name: len(space) for name, space in sorted(index.seen()[0].items())}
    return Reply(
        {
            "namespaces": {name: {"vectorCount": n_records} for name, n_records in counts.items()},
            "dimension": index.spec.dimension,
            "metric": index.spec.metric,
            "vectorType": index.spec.vector_type,
            "indexFullness": 0.0,
            "totalVectorCount": sum(counts.values()),
        }
    )


def _query_vectors(index: Index, space: Space, fields: Fields) -> tuple[FloatArray | None, SparseVector | None]:
    """Return what to search for; nothing where the id of no record is given, which nothing is near."""
    dense, sparse, dimension = fields.get("vector") or None, fields.get("sparseVector"), index.spec.dimension
    if (fields.get("id") is None) == (dense is None and sparse is None):
        raise invalid("Provide exactly one of id and vector")
    if fields.get("id") is not None:
        record = space.get(limits.check_id(fields["id"]))
        # Its sparse half counts where sparse values can be searched at all.
        return (record.values, record.sparse if _is_searchable(index) else None) if record else (None, None)
    if sparse is not None and not _is_searchable(index):
        raise invalid("Index configuration does not support sparse values")
    if (dense is None) != (dimension is None):
        raise invalid(f"This index is searched with {'sparse' if dimension is None else 'dense'} values")
    return (
        None if dimension is None else check_dense(dense, dimension, of="Query"),
        None if sparse is None else check_sparse(sparse, of="Query"),
    )


def _is_searchable(index: Index) -> bool:
    """Tell whether sparse values count in a query: any index keeps them, "dotproduct" alone can add them up."""
    return index.spec.metric == "dotproduct"


def _updated(record: Record, fields: Fields, dimension: int | None) -> Record:
    changes = limits.check_metadata(read.mapping(fields, "setMetadata"))
    updated = replace(record, metadata=limits.check_metadata({**record.metadata, **changes}))
    if fields.get("values"):
        updated = replace(updated, values=limits.check_values(record.id, fields["values"], dimension))
    if fields.get("sparseValues") is not None:
        sparse = limits.check_sparse_values(record.id, fields["sparseValues"], dimension)
        updated = replace(updated, sparse=sparse)
    return updated


def _filter(fields: Fields) -> Predicate | None:
    node = read.mapping(fields, "filter")
    return compile_filter(node) if node else None


def _required_filter(fields: Fields, complaint: str) -> Predicate:
    matches = _filter(fields)
    if matches is None:
        raise invalid(complaint)
    return matches


def _records(fields: Fields, records: Iterable[Record | None]) -> Reply:
    vectors = {record.id: _shown(record, values=True, metadata=True) for record in records if record is not None}
    return Reply({"vectors": vectors, "namespace": read.namespace(fields), **_READ_USAGE})


def _shown(record: Record, *, values: bool, metadata: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": record.id}
    if values and record.values is not None:
        shown["values"] = shortest(record.values)
    if values and record.sparse is not None:
        indices, held = record.sparse.indices.tolist(), shortest(record.sparse.values)
        shown["sparseValues"] = {"indices": indices, "values": held}
    if metadata and record.metadata:
        shown["metadata"] = record.metadata
    return shown


def _written(index: Index, **body: Any) -> Reply:
    return Reply(body, headers={"x-pinecone-lsn-committed": str(index.lsn)})
