"""All indexes of one server."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from local.index_server.index import Index, IndexSpec
from local.index_server.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.index_server.index import Visibility
    from local.index_server.store import Store


class Catalog:
    """The indexes by name, safe to use from any thread.

    Args:
        store: Where they are kept; all of it is loaded.
        url: Where the server answers; an index's host is a path below it.
        visibility: When reads see a write.
    """

    def __init__(self, store: Store, url: str, visibility: Visibility) -> None:
        self._store = store
        self._url = url
        self._visibility = visibility
        self._lock = threading.Lock()
        self._indexes = {
            spec["name"]: Index(IndexSpec(**spec), lsn, store, visibility) for spec, lsn in store.indexes()
        }

    def host(self, name: str) -> str:
        """Return where the data plane of an index answers; clients keep its scheme and path."""
        return f"{self._url}/indexes/{name}"

    def specs(self) -> list[IndexSpec]:
        """Return the specs of all indexes, by name."""
        with self._lock:
            return [index.spec for _, index in sorted(self._indexes.items())]

    @contextmanager
    def use(self, name: str) -> Iterator[Index]:
        """Hold an index for one operation: nobody else reads or writes it meanwhile.

        Raises:
            Refusal: There is no index of that name (404).
        """
        missing = Refusal("NOT_FOUND", f"Resource {name} not found")
        with self._lock:
            index = self._indexes.get(name)
        if index is None:
            raise missing
        with index.lock:
            if self._indexes.get(name) is not index:  # deleted while we waited
                raise missing
            yield index

    def create(self, spec: IndexSpec) -> None:
        """Create an empty index.

        Raises:
            Refusal: The name is taken (409).
        """
        with self._lock:
            if spec.name in self._indexes:
                raise Refusal("ALREADY_EXISTS", f"Resource {spec.name} already exists")
            self._store.put_index(spec.name, asdict(spec))
            self._indexes[spec.name] = Index(spec, 0, self._store, self._visibility)

    def delete(self, name: str) -> None:
        """Delete an index with all its records.

        Raises:
            Refusal: It does not exist (404), or is protected (403).
        """
        with self.use(name) as index, self._lock:
            if index.spec.deletion_protection == "enabled":
                raise Refusal(
                    "FORBIDDEN",
                    f"Deletion protection is enabled for index {name}: disable it with configure_index, then delete",
                )
            self._store.drop_index(name)
            del self._indexes[name]
