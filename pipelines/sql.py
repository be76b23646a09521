"""What Spark's SQL takes for names, literals and types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql.types import DataType


def sql_name(name: str) -> str:
    """Write a column's name, whatever characters it has."""
    return f"`{name.replace('`', '``')}`"


def sql_string(text: str) -> str:
    """Write `text` as a literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def sql_type(kind: DataType) -> str:
    """Write a type. `simpleString` does not quote the names inside a struct, so that SQL may not read it back."""
    from pyspark.sql.types import ArrayType, MapType, StructType  # noqa: PLC0415  # Spark only where Spark is used

    if isinstance(kind, ArrayType):
        return f"ARRAY<{sql_type(kind.elementType)}>"
    if isinstance(kind, MapType):
        return f"MAP<{sql_type(kind.keyType)}, {sql_type(kind.valueType)}>"
    if isinstance(kind, StructType):
        return f"STRUCT<{', '.join(f'{sql_name(field.name)}: {sql_type(field.dataType)}' for field in kind)}>"
    return kind.simpleString()
