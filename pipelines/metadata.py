"""Columns of the source as metadata of a record: JSON that Pinecone accepts and can filter on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it
from pyspark.sql import types as T  # noqa: N812  # Spark's own name for it

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column

_SECONDS_A_DAY = 86_400


def metadata_json(columns: Iterable[str], schema: T.StructType) -> Column:
    """Join columns into one JSON object, typed; a NULL leaves its key out, since Pinecone knows no null."""
    values = [_value(schema[name].dataType, F.col(f"`{name}`")).alias(name) for name in columns]
    return F.to_json(F.struct(*values)) if values else F.lit("{}")


def _value(kind: T.DataType, column: Column) -> Column:  # noqa: PLR0911  # one return a kind
    """Turn a column into a string, number, boolean or list of strings."""
    match kind:
        case T.StringType():
            return F.make_valid_utf8(column)
        case T.BooleanType() | T.IntegralType():
            return column
        case T.DecimalType():
            return column.cast("double")
        case T.FloatType() | T.DoubleType():
            # JSON has no NaN and no infinity.
            return F.when(F.abs(column) < float("inf"), column)
        case T.TimestampType() | T.TimestampNTZType():
            return F.unix_seconds(column.cast("timestamp"))
        case T.DateType():
            return F.unix_date(column).cast("bigint") * _SECONDS_A_DAY  # 2040 is beyond 32 bits
        case T.ArrayType(elementType=T.StringType() | T.BooleanType() | T.NumericType()):
            return F.transform(F.array_compact(column), lambda element: F.make_valid_utf8(element.cast("string")))
        case T.BinaryType():
            return F.base64(column)
        case T.ArrayType() | T.MapType() | T.StructType() | T.VariantType():
            return F.make_valid_utf8(F.to_json(column))
        case _:
            return column.cast("string")
