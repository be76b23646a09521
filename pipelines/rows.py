"""A query's result, as it comes: batch by batch, so that the driver never holds a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyspark.sql import DataFrame


def iterate_rows(frame: DataFrame) -> Iterator[dict[str, Any]]:
    """Yield each row as a dict, vectors as numpy float32.

    Spark Connect hands out Arrow batches, which cost a tenth of Python rows; the method is not public, so where it is
    missing or changed `toLocalIterator` serves.
    """
    for table in _arrow_tables(frame):
        for batch in table.to_batches():
            columns = {name: _values(batch.column(name)) for name in batch.schema.names}
            for values in zip(*columns.values(), strict=True):
                yield dict(zip(columns, values, strict=True))


def _arrow_tables(frame: DataFrame) -> Iterator[pa.Table]:
    import pyarrow as pa  # noqa: PLC0415  # Spark's, not ours

    session: Any = frame.sparkSession
    plan: Any = getattr(frame, "_plan", None)
    if plan is None or not hasattr(getattr(session, "client", None), "to_table_as_iterator"):
        for row in frame.toLocalIterator():
            yield pa.Table.from_pylist([row.asDict(recursive=True)])
        return
    for part in session.client.to_table_as_iterator(plan.to_proto(session.client), plan.observations):
        if isinstance(part, pa.Table):
            yield part


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
