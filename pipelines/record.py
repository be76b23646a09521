"""What goes to the index: records, cut into requests that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

# Limits of one request, from Pinecone's documentation, "Upsert records" and "Delete records".
MAX_RECORDS = 1000
MAX_BYTES = 2_000_000
MAX_METADATA_BYTES = 40 * 1024
MAX_ID_CHARACTERS = 512
_FLOAT_BYTES = 16  # longest shortest-text of a float32 of at most 1, with its comma
_RECORD_BYTES = 120  # keys and punctuation of a record, its id included

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the index takes it."""

    id: str
    values: NDArray[np.float32]  # [dimension]
    metadata_json: str

    @property
    def metadata(self) -> dict[str, Any]:
        """Its metadata, made anew each time: as objects it takes several times the room, in windows that wait."""
        metadata: dict[str, Any] = orjson.loads(self.metadata_json)
        return metadata

    @property
    def wire_bytes(self) -> int:
        """Upper bound of its part of a request."""
        return wire_bytes(len(self.metadata_json.encode()), len(self.values))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that the index will not take as it is."""

    record_id: str
    status: int | None  # of the index's answer; None where the record was never sent
    reason: str


def defect(record: Record) -> str | None:
    """Say what makes a record unfit to be sent; None if nothing does.

    NaN goes out as null, and what the index then makes of it is its own affair: such a record never reaches the wire.
    """
    if not record.id.isascii() or not 1 <= len(record.id) <= MAX_ID_CHARACTERS:
        return f"its id is not 1 to {MAX_ID_CHARACTERS} ASCII characters"
    with np.errstate(over="ignore"):
        squares = float(record.values @ record.values)
    if not 0 < squares < np.inf:  # else all is well; squares may be beyond float32, and the values fine
        if not np.isfinite(record.values).all():
            return "its vector holds a value that is not finite"
        if not record.values.any():
            return "its vector is all zero"
    if len(record.metadata_json.encode()) > MAX_METADATA_BYTES:
        return f"its metadata is larger than {MAX_METADATA_BYTES} bytes"
    return None


def sound(records: Iterable[Record], defects: dict[str, str]) -> Iterator[Record]:
    """Yield the records that are fit to be sent, and note of every other one, by id, what is the matter with it."""
    for record in records:
        if why := defect(record):
            defects[record.id] = why
        else:
            yield record


def wire_bytes(n_metadata_bytes: int, dimension: int) -> int:
    """Upper bound of a record's part of a request."""
    return dimension * _FLOAT_BYTES + n_metadata_bytes + _RECORD_BYTES


def batches(items: Iterable[Item], size_of: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Cut records, or what stands for them, into requests within `MAX_RECORDS` and `MAX_BYTES`.

    Args:
        items: what to cut.
        size_of: an item's `wire_bytes`.
    """
    batch: list[Item] = []
    size = 0
    for item in items:
        n_bytes = size_of(item)
        if batch and (len(batch) == MAX_RECORDS or size + n_bytes > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += n_bytes
    if batch:
        yield batch


def shortest(values: NDArray[np.float32]) -> orjson.Fragment:
    """Write floats as JSON, each as its shortest text: half the bytes on the wire, and the same bits on arrival.

    What comes is a piece of finished JSON: Python floats in between would take three times as long to make and write.
    """
    return orjson.Fragment(orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY))
