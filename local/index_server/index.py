"""One index: what it is, what it holds, and the only way to change what it holds."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from local.index_server.fields import DEFAULT_NAMESPACE
from local.index_server.refusals import Refusal
from local.index_server.space import Space

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.index_server.limits import Record
    from local.index_server.store import Store


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """What ``create_index`` fixes, and ``configure_index`` changes in part."""

    name: str
    """1 to 45 lower-case letters, digits and hyphens."""
    dimension: int
    """Length of every vector."""
    metric: str
    """"cosine", "dotproduct" or "euclidean"."""
    cloud: str
    """Kept and told, never acted on."""
    region: str
    """Kept and told, never acted on."""
    deletion_protection: str = "disabled"
    """"enabled" refuses to delete the index."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """The caller's own labels."""


class Index:
    """The namespaces of one index; use it only while holding ``lock``.

    Args:
        spec: What the index is.
        lsn: Log sequence number of the last write: counts the writes of this index, across restarts.
        store: Where it is kept; what it already holds of this index is loaded.
    """

    def __init__(self, spec: IndexSpec, lsn: int, store: Store) -> None:
        self.lock = threading.Lock()
        self.spec = spec
        self.lsn = lsn
        self.spaces: dict[str, Space] = {}
        self._store = store
        for namespace in store.namespaces(spec.name):
            space = self.spaces[namespace] = Space(spec.dimension)
            for record in store.records(spec.name, namespace):
                space.put(record)

    def space(self, namespace: str) -> Space:
        """Return a namespace to read: one that does not exist reads as an empty one."""
        return self.spaces.get(namespace, Space(self.spec.dimension))

    def existing_space(self, namespace: str) -> Space:
        """Return a namespace to change; ``__default__`` always exists.

        Raises:
            Refusal: It does not exist (404).
        """
        if namespace not in self.spaces and namespace != DEFAULT_NAMESPACE:
            raise Refusal("NOT_FOUND", "Namespace not found")
        return self.space(namespace)

    def write(self, namespace: str, *, puts: Iterable[Record] = (), removals: Iterable[str] = ()) -> None:
        """Put and remove records of a namespace, made if it is missing: on disk first, then where reads see it."""
        puts, removals = list(puts), list(removals)
        self._store.write(self.spec.name, self.lsn + 1, namespace, puts, removals)
        self.lsn += 1
        space = self.spaces.setdefault(namespace, Space(self.spec.dimension))
        for record in puts:
            space.put(record)
        for record_id in removals:
            space.remove(record_id)

    def drop_namespace(self, namespace: str) -> None:
        """Delete a namespace and its records."""
        self._store.drop_namespace(self.spec.name, self.lsn + 1, namespace)
        self.lsn += 1
        self.spaces.pop(namespace, None)

    def configure(self, spec: IndexSpec) -> None:
        """Replace the spec; name, dimension and metric must be the same."""
        self._store.put_index(spec.name, asdict(spec))
        self.spec = spec
