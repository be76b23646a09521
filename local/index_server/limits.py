"""What a record may be: every limit of the service, checked, and the request's JSON made into records.

Numbers from docs.pinecone.io/reference/api/database-limits; the quoted messages are the service's own where known.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from local.index_server import fields as read
from local.index_server.refusals import Refusal, invalid

if TYPE_CHECKING:
    from local.index_server.filters import Metadata

FloatArray = npt.NDArray[np.float32]

MAX_REQUEST_BYTES: Final = 2 * 1024 * 1024
MAX_RECORDS: Final = 1_000
MAX_IDS: Final = 1_000
MAX_ID_CHARS: Final = 512
MAX_METADATA_BYTES: Final = 40 * 1024
MAX_TOP_K: Final = 10_000
_SHOWN_BYTES: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One record of an index."""

    id: str
    """1 to 512 ASCII characters."""
    values: FloatArray
    """The vector: shape (dimension,), finite."""
    metadata: Metadata
    """Strings, booleans, floats and lists of strings by key; empty where there is none."""


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


def check_records(fields: read.Fields, dimension: int) -> dict[str, Record]:
    """Return an upsert's records by id; of equal ids the last one wins.

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
        refuse_sparse(vector, "sparseValues")
        record_id = check_id(vector.get("id"))
        values = check_vector(record_id, vector.get("values"), dimension)
        records[record_id] = Record(record_id, values, check_metadata(vector.get("metadata")))
    return records


def check_vector(record_id: str, values: object, dimension: int) -> FloatArray:
    """Return the vector of a record, shape (dimension,), or refuse it: unlike a query it must not be all zero."""
    vector = check_values(values, dimension, of=f"Vector ID '{record_id}'")
    if not vector.any():
        raise invalid(
            f"Dense vectors must contain at least one non-zero value. Vector ID '{record_id}' contains only zeros"
        )
    return vector


def check_values(values: object, dimension: int, *, of: str) -> FloatArray:
    """Return a dense vector, shape (dimension,), or refuse it."""
    if not isinstance(values, list):
        raise invalid(f"{of}: values must be a list of numbers, got {values!r:.80}")
    if len(values) != dimension:
        raise invalid(f"Vector dimension {len(values)} does not match the dimension of the index {dimension}")
    try:
        array = np.array(values)
        numbers = array.ndim == 1 and array.dtype.kind in "iuf"
        with np.errstate(over="ignore"):  # beyond float32 becomes infinite, and is refused below
            array = array.astype(np.float32) if numbers else np.empty(0, np.float32)
    except ValueError:  # lists of several lengths
        numbers = False
    # A client's NaN arrives as null: JSON has no other word for it.
    if not numbers or not np.isfinite(array).all():
        raise invalid(f"{of}: values must be finite numbers within the range of 32-bit floats")
    return array


def refuse_sparse(fields: read.Fields, name: str) -> None:
    """Refuse sparse values: this server holds dense vectors only."""
    if fields.get(name) is not None:
        raise Refusal("UNIMPLEMENTED", f"{name} is not served by the local index server: it holds dense vectors only")


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
