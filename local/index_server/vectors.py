"""Vectors, dense and sparse: what a request's JSON may be to become one.

Numbers from docs.pinecone.io/reference/api/database-limits; the quoted messages are the service's own where known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from local.index_server import fields as read
from local.index_server.refusals import invalid

FloatArray = npt.NDArray[np.float32]

MAX_SPARSE_VALUES: Final = 2048
_MAX_INDEX: Final = 2**32 - 1


@dataclass(frozen=True, slots=True, eq=False)
class SparseVector:
    """A vector of 2**32 dimensions, all but a few of them zero."""

    indices: npt.NDArray[np.uint32]
    """The other dimensions, shape (n,), each once."""
    values: FloatArray
    """What stands there, shape (n,), finite."""


def check_dense(values: object, dimension: int, *, of: str) -> FloatArray:
    """Return a dense vector, shape (dimension,), or refuse it."""
    array = _floats(values, of)
    if len(array) != dimension:
        raise invalid(f"Vector dimension {len(array)} does not match the dimension of the index {dimension}")
    return array


def check_sparse(vector: object, *, of: str) -> SparseVector:
    """Return a sparse vector of 1 to ``MAX_SPARSE_VALUES`` values, or refuse it."""
    if not isinstance(vector, dict):
        raise invalid(f"{of}: a sparse vector must be an object with indices and values, got {vector!r:.80}")
    indices, values = read.items(vector, "indices"), _floats(vector.get("values"), of)
    if len(indices) != len(values):
        raise invalid("Sparse vector indices and values must have the same length")
    if not 1 <= len(indices) <= MAX_SPARSE_VALUES:
        raise invalid(f"Sparse vector must contain 1 to {MAX_SPARSE_VALUES} values, got {len(indices)}")
    if not all(type(index) is int and 0 <= index <= _MAX_INDEX for index in indices):
        raise invalid(f"{of}: sparse indices must be whole numbers from 0 to {_MAX_INDEX}")
    if len(set(indices)) != len(indices):
        raise invalid(f"{of}: sparse indices must be unique")
    return SparseVector(np.array(indices, np.uint32), values)


def shortest(values: FloatArray) -> list[float]:
    """Return floats whose JSON is the shortest text that is each float32, as the service writes it.

    ``tolist()`` alone would make 0.1 0.10000000149011612.
    """
    return list(map(float, values.astype("U").tolist()))


def _floats(values: Any, of: str) -> FloatArray:
    if not isinstance(values, list):
        raise invalid(f"{of}: values must be a list of numbers, got {values!r:.80}")
    try:
        array = np.array(values)
        numbers = bool not in set(map(type, values)) and array.ndim == 1 and (array.dtype.kind in "iuf" or not values)
        with np.errstate(over="ignore"):  # beyond float32 becomes infinite, and is refused below
            array = array.astype(np.float32) if numbers else np.empty(0, np.float32)
    except ValueError:  # lists of several lengths
        numbers = False
    # A client's NaN arrives as null: JSON has no other word for it.
    if not numbers or not np.isfinite(array).all():
        raise invalid(f"{of}: values must be finite numbers within the range of 32-bit floats")
    return array
