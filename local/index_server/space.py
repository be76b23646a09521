"""One namespace in memory: its vectors as one matrix, searched exhaustively (exact, never approximate)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from local.index_server.limits import FloatArray, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.index_server.filters import Metadata, Predicate

METRICS: Final = ("cosine", "dotproduct", "euclidean")
_FIRST_ROWS: Final = 16
_BLOCK_ROWS: Final = 4096


class Space:
    """The records of one namespace.

    Rows 0 to n-1 of the matrix are in use, always: a delete moves the last row into the hole.

    Args:
        dimension: Length of every vector.
    """

    def __init__(self, dimension: int) -> None:
        self._values: FloatArray = np.empty((_FIRST_ROWS, dimension), np.float32)
        self._ids: list[str] = []
        self._metadata: list[Metadata] = []
        self._rows: dict[str, int] = {}
        self._sorted_ids: list[str] | None = []

    def __len__(self) -> int:
        return len(self._ids)

    def get(self, record_id: str) -> Record | None:
        """Return a record, or None; its values are a copy."""
        row = self._rows.get(record_id)
        return None if row is None else self._record(row)

    def _record(self, row: int) -> Record:
        return Record(self._ids[row], self._values[row].copy(), self._metadata[row])

    def put(self, record: Record) -> None:
        """Insert a record, or replace the one with its id."""
        row = self._rows.get(record.id)
        if row is None:
            row = self._rows[record.id] = len(self._ids)
            self._ids.append(record.id)
            self._metadata.append(record.metadata)
            self._sorted_ids = None
            if row == len(self._values):
                self._resize(2 * row)
        self._values[row] = record.values
        self._metadata[row] = record.metadata

    def remove(self, record_id: str) -> None:
        """Delete a record; an id that is not there is no error."""
        row = self._rows.pop(record_id, None)
        if row is None:
            return
        last_id, last_metadata = self._ids.pop(), self._metadata.pop()
        if last_id != record_id:
            self._ids[row], self._metadata[row], self._rows[last_id] = last_id, last_metadata, row
            self._values[row] = self._values[len(self._ids)]
        self._sorted_ids = None
        if _FIRST_ROWS <= len(self._ids) < len(self._values) // 4:
            self._resize(len(self._values) // 2)

    def _resize(self, n_rows: int) -> None:
        n_used = min(n_rows, len(self._values))
        values = np.empty((n_rows, self._values.shape[1]), np.float32)
        values[:n_used] = self._values[:n_used]
        self._values = values

    def ids(self, prefix: str, after: str, limit: int) -> list[str]:
        """Return up to ``limit`` ids that start with ``prefix`` and follow ``after``, in code point order."""
        if self._sorted_ids is None:
            self._sorted_ids = sorted(self._ids)
        start = max(bisect_left(self._sorted_ids, prefix), bisect_right(self._sorted_ids, after) if after else 0)
        page = self._sorted_ids[start : start + limit]
        return [record_id for record_id in page if record_id.startswith(prefix)]

    def matching(self, matches: Predicate) -> list[str]:
        """Return the ids of all records whose metadata matches, in code point order."""
        return sorted(self._ids[row] for row, metadata in enumerate(self._metadata) if matches(metadata))

    def nearest(
        self, vector: FloatArray, metric: str, top_k: int, matches: Predicate | None = None
    ) -> list[tuple[Record, float]]:
        """Return the ``top_k`` best matching records with their scores, best first; of equal scores in row order.

        Args:
            vector: The query, shape (dimension,).
            metric: "cosine" and "dotproduct" score higher for nearer; "euclidean" scores the squared distance, so
                lower is nearer, as the service documents it.
            top_k: How many records to return at most.
            matches: The filter; None lets every record pass.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # vectors near the end of float32's range
            scores = np.nan_to_num(self._scores(vector, metric))  # JSON has no infinity
        order: npt.NDArray[np.intp] = np.argsort(scores if metric == "euclidean" else -scores, kind="stable")
        found: Iterator[int] = (row for row in order.tolist() if matches is None or matches(self._metadata[row]))
        return [(self._record(row), float(scores[row])) for row in islice(found, top_k)]

    def _scores(self, vector: FloatArray, metric: str) -> npt.NDArray[np.float32]:
        values = self._values[: len(self._ids)]
        if metric == "euclidean":
            scores = np.empty(len(values), np.float32)
            for start in range(0, len(values), _BLOCK_ROWS):  # a difference of the whole matrix would double the memory
                difference = values[start : start + _BLOCK_ROWS] - vector
                np.einsum("ij,ij->i", difference, difference, out=scores[start : start + _BLOCK_ROWS])
            return scores
        products: npt.NDArray[np.float32] = values @ vector
        if metric == "dotproduct":
            return products
        lengths = np.sqrt(np.einsum("ij,ij->i", values, values)) * np.linalg.norm(vector)
        cosines: npt.NDArray[np.float32] = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
        return cosines
