"""The sparse vectors of one namespace, by dimension: what a query shares no dimension with is never looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from local.index_server.vectors import FloatArray, SparseVector


class Postings:
    """An inverted index: for each dimension, the rows that have a value there."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, float]] = {}

    def add(self, row: int, vector: SparseVector) -> None:
        """Enter the vector of a row, which has none yet."""
        for index, value in zip(vector.indices.tolist(), vector.values.tolist(), strict=True):
            self._rows.setdefault(index, {})[row] = value

    def remove(self, row: int, vector: SparseVector) -> None:
        """Take back what ``add`` entered."""
        for index in vector.indices.tolist():
            rows = self._rows[index]
            del rows[row]
            if not rows:
                del self._rows[index]

    def products(self, vector: SparseVector, n_rows: int) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Return the dot product with each row's vector, and which rows share a dimension with it; shapes (n_rows,)."""
        products, shared = np.zeros(n_rows, np.float32), np.zeros(n_rows, np.bool_)
        for index, weight in zip(vector.indices.tolist(), vector.values.tolist(), strict=True):
            held = self._rows.get(index, {})
            rows = np.fromiter(held.keys(), np.intp, len(held))
            products[rows] += np.float32(weight) * np.fromiter(held.values(), np.float32, len(held))
            shared[rows] = True
        return products, shared
