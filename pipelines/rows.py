"""Rows: which of them, kept for a second question, and brought to the driver batch by batch, never a table at once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.errors import PySparkException
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it
from pyspark.sql.types import ArrayType, FloatType

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyspark.sql import DataFrame


def these(rows: DataFrame, ids: DataFrame | None) -> DataFrame:
    """Keep the rows of some documents.

    Args:
        rows: with a column `doc_id`.
        ids: column `doc_id`, few enough to be sent to every worker; None for all.
    """
    return rows if ids is None else rows.join(F.broadcast(ids), "doc_id", "left_semi")


def kept(frame: DataFrame) -> DataFrame:
    """Compute a frame now and once, where the compute keeps such things; serverless does not, and computes it again.

    Not `persist`: each write to a table that the frame has read would make Spark plan it anew.
    """
    with suppress(PySparkException):
        return frame.localCheckpoint()
    return frame


def iterate_rows(frame: DataFrame) -> Iterator[dict[str, Any]]:
    """Yield each row as a dict, vectors as numpy float32.

    Spark Connect hands out Arrow batches, which cost a tenth of Python rows; the method is not public, so where it is
    missing `toLocalIterator` serves.
    """
    client: Any = getattr(frame.sparkSession, "client", None)
    if hasattr(client, "to_table_as_iterator"):
        yield from _arrow_rows(frame, client)
        return
    kinds = {field.name: field.dataType for field in frame.schema}
    vectors = [
        n for n, kind in kinds.items() if isinstance(kind, ArrayType) and isinstance(kind.elementType, FloatType)
    ]
    for row in frame.toLocalIterator():
        floats = {name: np.asarray(row[name], dtype=np.float32) for name in vectors if row[name] is not None}
        yield row.asDict(recursive=True) | floats


def _arrow_rows(frame: DataFrame, client: Any) -> Iterator[dict[str, Any]]:
    import pyarrow as pa  # noqa: PLC0415  # Spark's, not ours

    plan: Any = frame._plan  # noqa: SLF001  # goes with the client's method
    for table in client.to_table_as_iterator(plan.to_proto(client), plan.observations):
        if not isinstance(table, pa.Table):
            continue  # the schema comes the same way
        for batch in table.to_batches():
            columns = {name: _values(batch.column(name)) for name in batch.schema.names}
            for values in zip(*columns.values(), strict=True):
                yield dict(zip(columns, values, strict=True))


def _values(column: pa.Array) -> list[Any]:
    """Turn a column into Python values; a list of floats stays a slice of one numpy array."""
    import pyarrow as pa  # noqa: PLC0415  # Spark's, not ours

    if pa.types.is_list(column.type) and pa.types.is_float32(column.type.value_type):
        floats = column.values.to_numpy(zero_copy_only=False)
        bounds = column.offsets.to_numpy()
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        return [floats[bounds[i] : bounds[i + 1]] if valid[i] else None for i in range(len(column))]
    values: list[Any] = column.to_pylist()
    return values
