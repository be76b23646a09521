"""Reads of one namespace: what is near, what is there, and whether that is all that was written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipelines.sender import N_CONCURRENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pipelines.index import VectorIndex

MAX_TOP_K: Final = 10_000  # docs.pinecone.io/reference/api/database-limits
_IDS_IN_URL: Final = 100  # a fetch names its ids there: of ours 100 take 4 KB, of 16 that servers commonly read
VISIBLE_LIMIT_S: Final = 60.0
_FIRST_WAIT_S: Final = 0.05
_LONGEST_WAIT_S: Final = 2.0


def until(is_so: Callable[[], bool], limit_s: float) -> bool:
    """Ask until it is so, ever less often; say no once `limit_s` are over."""
    end, wait_s = monotonic() + limit_s, _FIRST_WAIT_S
    while not is_so():
        if monotonic() + wait_s > end:
            return False
        sleep(wait_s)
        wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
    return True


@dataclass(frozen=True, slots=True)
class Match:
    """One answer to a query."""

    id: str
    score: float
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """One record that is there."""

    values: NDArray[np.float32]  # [dimension]
    metadata: Mapping[str, Any]


class Reader:
    """Reads what `VectorIndex` writes to; its requests count as that one's.

    Args:
        index: the index.
        namespace: the namespace in it.
    """

    def __init__(self, index: VectorIndex, namespace: str) -> None:
        self._index = index
        self._namespace = namespace

    def n_records(self) -> int:
        """Count the namespace's records, by the index's own statistics."""
        found = self._index.read("statistics", lambda plane: plane.describe_index_stats(), is_check=True).namespaces
        # The service may call its default namespace by no name here.
        ours = found.get(self._namespace) or (found.get("") if self._namespace == "__default__" else None)
        return ours.vector_count if ours else 0

    def query(self, vector: NDArray[np.float32], top_k: int) -> list[Match]:
        """Find the records nearest to a vector, best first."""
        answer = self._index.read(
            "query",
            lambda plane: plane.query(
                vector=vector.tolist(), top_k=top_k, include_metadata=True, namespace=self._namespace
            ),
            patient=False,  # somebody waits for it
        )
        return [Match(match.id, match.score, match.metadata or {}) for match in answer.matches]

    def fetch(self, ids: Sequence[str], *, is_check: bool = False) -> dict[str, Found]:
        """Return those records that are there."""

        def page(part: list[str]) -> dict[str, Found]:
            answer = self._index.read(
                "fetch", lambda plane: plane.fetch(ids=part, namespace=self._namespace), is_check=is_check
            )
            return {
                name: Found(np.asarray(record.values, np.float32), record.metadata or {})
                for name, record in answer.vectors.items()
            }

        found: dict[str, Found] = {}
        with ThreadPoolExecutor(N_CONCURRENT) as pool:
            parts = [list(ids[start : start + _IDS_IN_URL]) for start in range(0, len(ids), _IDS_IN_URL)]
            for records in pool.map(page, parts):
                found |= records
        return found

    def list_ids(self, prefix: str = "") -> Iterator[str]:
        """List the ids of all records, or of those that begin so."""

        def page(token: str | None) -> tuple[list[str], str | None]:
            answer = self._index.read(
                "list",
                lambda plane: plane.list_paginated(
                    prefix=prefix or None, pagination_token=token, namespace=self._namespace
                ),
            )
            return [str(item.id) for item in answer.vectors], answer.pagination.next if answer.pagination else None

        ids, token = page(None)
        yield from ids
        while token:
            ids, token = page(token)
            yield from ids

    def sees_all(self, limit_s: float = VISIBLE_LIMIT_S) -> bool:
        """Ask until reads see all that this run wrote; give up after `limit_s`.

        An upsert is seen once a query has got to its log sequence number. Deletes get none through the SDK: of each
        request that deleted, one record must be gone, and a request is taken whole.
        """
        if self._index.probe is not None and self._index.lsn is None:
            return False  # an index that gives no numbers proves nothing
        return until(lambda: self._sees_upserts() and self._sees_deletes(), limit_s)

    def _sees_upserts(self) -> bool:
        probe, lsn = self._index.probe, self._index.lsn
        if probe is None or lsn is None:
            return probe is None
        answer = self._index.read(
            "query",
            lambda plane: plane.query(vector=probe.tolist(), top_k=1, namespace=self._namespace),
            is_check=True,
        )
        return bool(answer.response_info and answer.response_info.is_reconciled(lsn))

    def _sees_deletes(self) -> bool:
        return not self.fetch(self._index.deleted, is_check=True)
