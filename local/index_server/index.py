"""One index: what it is, what it holds, and the only way to change what it holds."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from local.index_server.fields import DEFAULT_NAMESPACE
from local.index_server.refusals import Refusal
from local.index_server.space import Space

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from local.index_server.limits import Record
    from local.index_server.store import Store


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """What ``create_index`` fixes, and ``configure_index`` changes in part."""

    name: str
    """1 to 45 lower-case letters, digits and hyphens."""
    dimension: int | None
    """Length of every dense vector; None for an index of sparse ones."""
    metric: str
    """"cosine", "dotproduct" or "euclidean"."""
    cloud: str
    """Kept and told, never acted on."""
    region: str
    """Kept and told, never acted on."""
    hybrid: bool = False
    """Sparse values were declared beside the dense ones."""
    deletion_protection: str = "disabled"
    """"enabled" refuses to delete the index."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """The caller's own labels."""

    @property
    def vector_type(self) -> str:
        """Say ``dense`` or ``sparse``, as the service calls it."""
        return "sparse" if self.dimension is None else "dense"


@dataclass(frozen=True, slots=True)
class _Change:
    """One committed write that reads do not see yet."""

    committed_at: float  # by the monotonic clock
    lsn: int
    namespace: str
    puts: Sequence[Record]
    removals: Sequence[str]
    dropped: bool  # the whole namespace


@dataclass(slots=True)
class Visibility:
    """How long after its answer a write is seen by reads; a change of it holds for what is pending too."""

    delay_s: float = 0.0


class Index:
    """The namespaces of one index; use it only while holding ``lock``.

    What is written and what is seen are two things: reads and counts see a write once ``visibility`` lets them. What a
    write itself looks up (the record it updates, the records its filter deletes) is what is written, as in the
    service, which applies writes in their order.

    Args:
        spec: What the index is.
        lsn: Log sequence number of the last write: counts the writes of this index, across restarts.
        store: Where it is kept; what it already holds of this index is loaded.
        visibility: When reads see a write.
    """

    def __init__(self, spec: IndexSpec, lsn: int, store: Store, visibility: Visibility) -> None:
        self.lock = threading.Lock()
        self.spec = spec
        self.lsn = lsn
        self._store = store
        self._visibility = visibility
        self._written: dict[str, Space] = {}
        for namespace in store.namespaces(spec.name):
            space = self._written[namespace] = Space(spec.dimension)
            for record in store.records(spec.name, namespace):
                space.put(record)
        self._seen = self._written  # the same, as long as nothing is pending
        self._pending: deque[_Change] = deque()

    def seen(self) -> tuple[dict[str, Space], int]:
        """Return what reads see now: the namespaces, and the log sequence number of the last write in them."""
        while self._pending and self._pending[0].committed_at + self._visibility.delay_s <= monotonic():
            self._apply(self._seen, self._pending.popleft())
        if not self._pending:
            self._seen = self._written
            return self._seen, self.lsn
        return self._seen, self._pending[0].lsn - 1

    def look(self, namespace: str) -> tuple[Space, int]:
        """Return a namespace to read, and the log sequence number of the last write in it: of one and the same look.

        One that does not exist reads as an empty one.
        """
        seen, lsn = self.seen()
        return seen.get(namespace, Space(self.spec.dimension)), lsn

    def space(self, namespace: str) -> Space:
        """Return a namespace to read."""
        return self.look(namespace)[0]

    def exists(self, namespace: str) -> bool:
        """Tell whether a namespace was made; ``__default__`` always was."""
        return namespace in self._written or namespace == DEFAULT_NAMESPACE

    def existing_space(self, namespace: str) -> Space:
        """Return a namespace to change.

        Raises:
            Refusal: It does not exist (404).
        """
        if not self.exists(namespace):
            raise Refusal("NOT_FOUND", "Namespace not found")
        return self._written.get(namespace, Space(self.spec.dimension))

    def write(self, namespace: str, *, puts: Iterable[Record] = (), removals: Iterable[str] = ()) -> None:
        """Put and remove records of a namespace, made if it is missing: on disk first, then where reads see it."""
        puts, removals = list(puts), list(removals)
        self._store.write(self.spec.name, self.lsn + 1, namespace, puts, removals)
        self._committed(namespace, puts, removals, dropped=False)

    def drop_namespace(self, namespace: str) -> None:
        """Delete a namespace and its records."""
        self._store.drop_namespace(self.spec.name, self.lsn + 1, namespace)
        self._committed(namespace, (), (), dropped=True)

    def _committed(self, namespace: str, puts: Sequence[Record], removals: Sequence[str], *, dropped: bool) -> None:
        self.seen()  # what is due by now comes before
        self.lsn += 1
        delay_s = self._visibility.delay_s
        change = _Change(monotonic(), self.lsn, namespace, puts, removals, dropped)
        if delay_s or self._pending:
            if self._seen is self._written:
                self._seen = dict(self._written)
            if namespace in self._seen and self._seen[namespace] is self._written.get(namespace):
                self._seen[namespace] = self._written[namespace].copy()
            self._pending.append(change)
        self._apply(self._written, change)

    def _apply(self, spaces: dict[str, Space], change: _Change) -> None:
        if change.dropped:
            spaces.pop(change.namespace, None)
            return
        space = spaces.setdefault(change.namespace, Space(self.spec.dimension))
        for record in change.puts:
            space.put(record)
        for record_id in change.removals:
            space.remove(record_id)

    def configure(self, spec: IndexSpec) -> None:
        """Replace the spec; name, dimension and metric must be the same."""
        self._store.put_index(spec.name, asdict(spec))
        self.spec = spec
