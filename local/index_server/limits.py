"""What a record may be: the service's limits, checked, and the request's JSON made into records.

Numbers from docs.pinecone.io/reference/api/database-limits; the quoted messages are the service's own where known.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from local.index_server import fields as read
from local.index_server.refusals import invalid
from local.index_server.vectors import FloatArray, SparseVector, check_dense, check_sparse

if TYPE_CHECKING:
    from local.index_server.filters import Metadata

MAX_REQUEST_BYTES: Final = 2 * 1024 * 1024
MAX_RECORDS: Final = 1_000
MAX_IDS: Final = 1_000
MAX_ID_CHARS: Final = 512
MAX_METADATA_BYTES: Final = 40 * 1024
MAX_TOP_K: Final = 10_000
_SHOWN_BYTES: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One record of an index: with a dense vector, a sparse one, or both."""

    id: str
    """1 to 512 ASCII characters."""
    values: FloatArray | None
    """The dense vector: shape (dimension,), finite, not all zero. None in a sparse index, and only there."""
    metadata: Metadata
    """Strings, booleans, floats and lists of strings by key; empty where there is none."""
    sparse: SparseVector | None = None
    """The sparse vector; never None in a sparse index."""


def check_id(value: object) -> str:
    """Return a record's id, or refuse it."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_ID_CHARS or not value.isascii() or "\0" in value:
        raise invalid(f"Vector ID must be 1 to {MAX_ID_CHARS} ASCII characters without NUL, got {value!r:.80}")
    return value


def check_ids(fields: read.Fields) -> list[str]:
    """Return a request's ids, at least one and at most ``MAX_IDS``."""
    ids = read.items(fields, "ids")
    if not ids:
        raise invalid("No ids provided: pass 1 to 1000 of them")
    if len(ids) > MAX_IDS:
        raise invalid(f"Number of provided ids: {len(ids)} exceeds the maximum amount per request: {MAX_IDS}")
    return [check_id(value) for value in ids]


def check_records(fields: read.Fields, dimension: int | None) -> dict[str, Record]:
    """Return an upsert's records by id; of equal ids the last one wins.

    Args:
        fields: The request's.
        dimension: The index's; None for a sparse index.

    Raises:
        Refusal: One of them breaks a limit; then none is written.
    """
    vectors = read.items(fields, "vectors")
    if not 1 <= len(vectors) <= MAX_RECORDS:
        raise invalid(f"Number of provided vectors: {len(vectors)} is not within 1 to {MAX_RECORDS} per request")
    records = {}
    for vector in vectors:
        if not isinstance(vector, dict):
            raise invalid(f"A vector must be an object with id and values, got {vector!r:.80}")
        record_id = check_id(vector.get("id"))
        values = check_values(record_id, vector.get("values"), dimension)
        sparse = check_sparse_values(record_id, vector.get("sparseValues"), dimension)
        records[record_id] = Record(record_id, values, check_metadata(vector.get("metadata")), sparse)
    return records


def check_values(record_id: str, values: object, dimension: int | None) -> FloatArray | None:
    """Return the dense vector of a record, or refuse it: unlike a query's it must not be all zero.

    Clients send an empty list where a record has none.
    """
    if dimension is None:
        if values:
            raise invalid(f"Vector ID '{record_id}' has dense values, and this index holds sparse vectors only")
        return None
    vector = check_dense(values, dimension, of=f"Vector ID '{record_id}'")
    if not vector.any():
        raise invalid(
            f"Dense vectors must contain at least one non-zero value. Vector ID '{record_id}' contains only zeros"
        )
    return vector


def check_sparse_values(record_id: str, vector: object, dimension: int | None) -> SparseVector | None:
    """Return the sparse vector of a record, which any index may hold, or refuse it; a sparse index needs one."""
    if vector is None:
        if dimension is None:
            raise invalid(f"Vector ID '{record_id}' has no sparse values, and this index holds sparse vectors only")
        return None
    return check_sparse(vector, of=f"Vector ID '{record_id}'")


def check_metadata(metadata: object) -> Metadata:
    """Return metadata as the service keeps it, or refuse it.

    Null values are dropped and numbers become 64-bit floats, as the service does on writing: ``{"a": 1, "b": None}``
    is kept, and given back, as ``{"a": 1.0}``.
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise invalid(f"metadata must be an object, got {_shown(metadata)}")
    kept = {key: _check_value(key, value) for key, value in metadata.items() if value is not None}
    n_bytes = len(_compact(kept))
    if n_bytes > MAX_METADATA_BYTES:
        raise invalid(
            f"Metadata size is {n_bytes} bytes, which exceeds the limit of {MAX_METADATA_BYTES} bytes per vector"
        )
    return kept


def _check_value(key: str, value: Any) -> Any:
    if key.startswith("$"):
        raise invalid(f"Metadata keys must not start with $, got '{key:.80}'")
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    if isinstance(value, list) and all(isinstance(member, str) for member in value):
        return value
    raise invalid(
        "Metadata value must be a string, number, boolean or list of strings, "
        f"got '{_shown(value)}' for field '{key:.80}'"
    )


def _shown(value: object) -> str:
    """Return the first 16 bytes of a value's JSON, as the service shows a value that it refuses."""
    whole = _compact(value)
    return whole[:_SHOWN_BYTES].decode("utf-8", "ignore") + ("..." if len(whole) > _SHOWN_BYTES else "")


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
