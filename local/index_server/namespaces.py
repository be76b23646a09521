"""The data plane: operations on the namespaces of one index, which the caller holds meanwhile.

A namespace lives from its first upsert, or its creation, until it is deleted; deleting its records leaves it, empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from local.index_server import fields as read
from local.index_server.fields import DEFAULT_NAMESPACE, Fields, Reply
from local.index_server.refusals import Refusal, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.index_server.index import Index
    from local.index_server.space import Space

MAX_PAGE_NAMESPACES: Final = 100


def create_namespace(index: Index, fields: Fields) -> Reply:
    """POST /namespaces."""
    if not read.text(fields, "name"):
        raise invalid("name is required to create a namespace")
    if fields.get("schema") is not None:
        raise Refusal("UNIMPLEMENTED", "the local index server filters by every metadata field: leave schema out")
    name = read.namespace(fields, "name")
    if index.exists(name):
        raise Refusal("ALREADY_EXISTS", f"Namespace {name!r:.80} already exists")
    index.write(name)
    return Reply({"name": name, "record_count": 0})


def list_namespaces(index: Index, fields: Fields) -> Reply:
    """GET /namespaces: those with a prefix, by name, in pages."""
    prefix, after = read.text(fields, "prefix"), read.page_start(fields)
    limit = read.integer(fields, "limit", default=MAX_PAGE_NAMESPACES, low=1, high=MAX_PAGE_NAMESPACES)
    seen, _ = index.seen()
    names = sorted(name for name in seen if name.startswith(prefix))
    rest = [name for name in names if name > after]
    page = rest[:limit]
    body = {"namespaces": [_described(name, seen) for name in page], "total_count": len(names)}
    return Reply({**body, **read.page_body(page[-1] if page else "", more=len(rest) > limit)})


def describe_namespace(index: Index, fields: Fields) -> Reply:
    """GET /namespaces/{name}."""
    name = read.namespace(fields, "name")
    seen, _ = index.seen()
    if name not in seen and name != DEFAULT_NAMESPACE:
        raise Refusal("NOT_FOUND", "Namespace not found")
    return Reply(_described(name, seen))


def delete_namespace(index: Index, fields: Fields) -> Reply:
    """DELETE /namespaces/{name}, with its records."""
    name = read.namespace(fields, "name")
    index.existing_space(name)
    index.drop_namespace(name)
    return Reply({})


def _described(name: str, seen: Mapping[str, Space]) -> dict[str, Any]:
    return {"name": name, "record_count": len(seen.get(name, ()))}
