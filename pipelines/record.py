"""What goes to the index: records, cut into requests that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

# Limits of one request, from Pinecone's documentation, "Upsert records" and "Delete records".
MAX_RECORDS = 1000
MAX_BYTES = 2_000_000
_FLOAT_BYTES = 16  # longest shortest-text of a float32, with its comma
_RECORD_BYTES = 120  # keys and punctuation of a record, its id included


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the index takes it."""

    id: str
    values: NDArray[np.float32]  # [dimension]
    metadata_json: str
    metadata: Mapping[str, Any]


def batches(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Cut records into requests within `MAX_RECORDS` and `MAX_BYTES`, by an upper bound of each record's size."""
    batch: list[Record] = []
    size = 0
    for record in records:
        n_bytes = len(record.values) * _FLOAT_BYTES + len(record.metadata_json.encode()) + _RECORD_BYTES
        if batch and (len(batch) == MAX_RECORDS or size + n_bytes > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += n_bytes
    if batch:
        yield batch


def shortest(values: NDArray[np.float32]) -> list[list[float]]:
    """Turn float32 into the floats whose text is shortest: half the bytes on the wire, and the same bits on arrival."""
    shortest: list[list[float]] = orjson.loads(orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY))
    return shortest
