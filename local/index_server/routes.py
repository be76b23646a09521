"""Which request is which operation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from local.index_server import control, data, namespaces
from local.index_server.catalog import Catalog
from local.index_server.fields import Fields, Reply
from local.index_server.index import Index

ControlOperation = Callable[[Catalog, Fields], Reply]
DataOperation = Callable[[Index, Fields], Reply]

_CONTROL: Final[dict[str, tuple[str, str, ControlOperation]]] = {
    "create_index": ("POST", "/indexes", control.create_index),
    "list_indexes": ("GET", "/indexes", control.list_indexes),
    "describe_index": ("GET", "/indexes/{index}", control.describe_index),
    "configure_index": ("PATCH", "/indexes/{index}", control.configure_index),
    "delete_index": ("DELETE", "/indexes/{index}", control.delete_index),
}
# Below the host of an index, /indexes/{index}.
_DATA: Final[dict[str, tuple[str, str, DataOperation]]] = {
    "upsert": ("POST", "/vectors/upsert", data.upsert),
    "query": ("POST", "/query", data.query),
    "fetch": ("GET", "/vectors/fetch", data.fetch),
    "fetch_by_metadata": ("POST", "/vectors/fetch_by_metadata", data.fetch_by_metadata),
    "delete": ("POST", "/vectors/delete", data.delete),
    "update": ("POST", "/vectors/update", data.update),
    "list": ("GET", "/vectors/list", data.list_ids),
    "describe_index_stats": ("POST", "/describe_index_stats", data.describe_index_stats),
    "create_namespace": ("POST", "/namespaces", namespaces.create_namespace),
    "list_namespaces": ("GET", "/namespaces", namespaces.list_namespaces),
    "describe_namespace": ("GET", "/namespaces/{name}", namespaces.describe_namespace),
    "delete_namespace": ("DELETE", "/namespaces/{name}", namespaces.delete_namespace),
}
OPERATIONS: Final = (*_CONTROL, *_DATA)


@dataclass(frozen=True, slots=True)
class Route:
    """One operation, and the requests that mean it."""

    operation: str
    """Its name, under which requests are counted."""
    method: str
    """The HTTP method."""
    path: re.Pattern[str]
    """The whole path; a group for each variable, percent-encoded."""
    run: ControlOperation
    """Does it."""


Found = tuple[Route, dict[str, str]]


def find_route(method: str, path: str) -> Found | None:
    """Return the operation that a request means and the variables in its path, or None where it means none."""
    for route in _ROUTES:
        if route.method == method and (match := route.path.fullmatch(path)):
            return route, {name: unquote(value) for name, value in match.groupdict().items()}
    return None


def _holding(run: DataOperation) -> ControlOperation:
    """Make a data operation hold its index."""

    def run_holding(catalog: Catalog, fields: Fields) -> Reply:
        with catalog.use(fields["index"]) as index:
            return run(index, fields)

    return run_holding


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))


_ROUTES: Final = (
    *(Route(name, method, _pattern(path), run) for name, (method, path, run) in _CONTROL.items()),
    *(
        Route(name, method, _pattern("/indexes/{index}" + path), _holding(run))
        for name, (method, path, run) in _DATA.items()
    ),
)
