"""One namespace in memory: its vectors as one matrix, searched exhaustively (exact, never approximate)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from copy import deepcopy
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import numpy.typing as npt

from local.index_server.limits import Record
from local.index_server.postings import Postings

if TYPE_CHECKING:
    from local.index_server.filters import Metadata, Predicate
    from local.index_server.vectors import FloatArray, SparseVector

METRICS: Final = ("cosine", "dotproduct", "euclidean")
_FIRST_ROWS: Final = 16
_BLOCK_ROWS: Final = 4096


class Space:
    """The records of one namespace.

    Rows 0 to n-1 of the matrix are in use, always: a delete moves the last row into the hole.

    Args:
        dimension: Length of every dense vector; None where records have sparse ones only.
    """

    def __init__(self, dimension: int | None) -> None:
        self._dimension = dimension
        self._values: FloatArray = np.empty((_FIRST_ROWS, dimension or 0), np.float32)
        self._lengths = np.empty(_FIRST_ROWS)  # of the rows, in double precision: the slow half of a cosine
        self._sparse: dict[int, SparseVector] = {}
        self._postings = Postings()
        self._ids: list[str] = []
        self._metadata: list[Metadata] = []
        self._rows: dict[str, int] = {}
        self._sorted_ids: list[str] | None = []

    def __len__(self) -> int:
        return len(self._ids)

    def copy(self) -> Self:
        """Return a space of its own with the same records; their metadata is shared, for nobody changes it."""
        return deepcopy(self, {id(held): held for held in self._metadata})

    def get(self, record_id: str) -> Record | None:
        """Return a record, or None; its values are a copy."""
        row = self._rows.get(record_id)
        return None if row is None else self._record(row)

    def _record(self, row: int) -> Record:
        values = None if self._dimension is None else self._values[row].copy()
        return Record(self._ids[row], values, self._metadata[row], self._sparse.get(row))

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
        if record.values is not None:
            self._values[row] = record.values
            self._lengths[row] = _length(record.values)
        self._metadata[row] = record.metadata
        self._set_sparse(row, record.sparse)

    def remove(self, record_id: str) -> None:
        """Delete a record; an id that is not there is no error."""
        row = self._rows.pop(record_id, None)
        if row is None:
            return
        last_id, last_metadata = self._ids.pop(), self._metadata.pop()
        last = len(self._ids)
        last_sparse = self._set_sparse(last, None)
        if last_id != record_id:
            self._ids[row], self._metadata[row], self._rows[last_id] = last_id, last_metadata, row
            self._values[row], self._lengths[row] = self._values[last], self._lengths[last]
            self._set_sparse(row, last_sparse)
        self._sorted_ids = None
        if _FIRST_ROWS <= len(self._ids) < len(self._values) // 4:
            self._resize(len(self._values) // 2)

    def _set_sparse(self, row: int, vector: SparseVector | None) -> SparseVector | None:
        """Replace a row's sparse vector; return the one it had."""
        held = self._sparse.pop(row, None)
        if held is not None:
            self._postings.remove(row, held)
        if vector is not None:
            self._postings.add(row, vector)
            self._sparse[row] = vector
        return held

    def _resize(self, n_rows: int) -> None:
        n_used = min(n_rows, len(self._values))
        values, lengths = np.empty((n_rows, self._values.shape[1]), np.float32), np.empty(n_rows)
        values[:n_used], lengths[:n_used] = self._values[:n_used], self._lengths[:n_used]
        self._values, self._lengths = values, lengths

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
        self,
        dense: FloatArray | None,
        sparse: SparseVector | None,
        metric: str,
        top_k: int,
        matches: Predicate | None = None,
    ) -> list[tuple[Record, float]]:
        """Return the ``top_k`` best matching records with their scores, best first; of equal scores in row order.

        Args:
            dense: The query, shape (dimension,), or None.
            sparse: The sparse query, or None. Its dot products are added to the dense scores; without a dense query
                only records that share a dimension with it are found.
            metric: "cosine" and "dotproduct" score higher for nearer; "euclidean" scores the squared distance, so
                lower is nearer, as the service documents it.
            top_k: How many records to return at most.
            matches: The filter; None lets every record pass.
        """
        scores, rows = self._scores(dense, sparse, metric)
        if matches is not None:
            metadata = self._metadata
            rows = np.array([row for row in rows.tolist() if matches(metadata[row])], np.intp)
        keys = scores[rows] if metric == "euclidean" else -scores[rows]
        return [(self._record(row), float(scores[row])) for row in rows[_best(keys, top_k)].tolist()]

    def _scores(
        self, dense: FloatArray | None, sparse: SparseVector | None, metric: str
    ) -> tuple[FloatArray, npt.NDArray[np.intp]]:
        """Return the score of every row, and the rows that may be found."""
        n_rows = len(self._ids)
        scores, rows = np.zeros(n_rows, np.float32), np.arange(n_rows)
        with np.errstate(over="ignore", invalid="ignore"):  # vectors near the end of float32's range
            if dense is not None:
                scores = self._dense_scores(dense, metric)
            if sparse is not None:
                products, shared = self._postings.products(sparse, n_rows)
                scores += products
                rows = rows if dense is not None else np.flatnonzero(shared)
        return np.nan_to_num(scores), rows  # JSON has no infinity

    def _dense_scores(self, vector: FloatArray, metric: str) -> FloatArray:
        values = self._values[: len(self._ids)]
        if metric == "euclidean":
            scores = np.empty(len(values), np.float32)
            for start in range(0, len(values), _BLOCK_ROWS):  # a difference of the whole matrix would double the memory
                difference = values[start : start + _BLOCK_ROWS] - vector
                np.einsum("ij,ij->i", difference, difference, out=scores[start : start + _BLOCK_ROWS])
            return scores
        products: npt.NDArray[np.floating] = values @ vector
        beyond = ~np.isfinite(products)
        if beyond.any():  # of float32, on the way to a product that may well be within
            products = products.astype(np.float64)
            products[beyond] = values[beyond].astype(np.float64) @ vector.astype(np.float64)
        if metric == "dotproduct":
            return products.astype(np.float32)
        lengths = self._lengths[: len(values)] * _length(vector)
        cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
        return np.asarray(cosines, np.float32)


def _length(vector: FloatArray) -> float:
    return float(np.linalg.norm(vector.astype(np.float64)))


def _best(keys: FloatArray, n: int) -> npt.NDArray[np.intp]:
    """Return the places of the ``n`` lowest keys, lowest first; of equal keys in their order."""
    if n < len(keys):
        # Ties with the n-th are kept, for the stable sort to choose from.
        few = np.flatnonzero(keys <= np.partition(keys, n - 1)[n - 1])
        return few[np.argsort(keys[few], kind="stable")[:n]]
    return np.argsort(keys, kind="stable")
