"""What a source's columns become in the source table, run after run.

A column keeps its type for the table's life: readers of a change feed cannot follow a change. It may come to stand
empty, and others may join it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it
from pyspark.sql.types import BooleanType, DataType, NullType, NumericType, StringType

from pipelines.errors import SourceError
from pipelines.settings import ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.settings import Settings

_UNFIT_IN_NAMES = re.compile(r"[\s,;{}()=.`]")  # what Delta refuses in a column's name, and what SQL reads as syntax
_INCOMPARABLE = re.compile(r"\b(map<|variant)")
_WIDER = ("tinyint", "smallint", "int", "bigint", "double")  # each is read as any later one


def with_plain_names(documents: DataFrame) -> DataFrame:
    """Put `_` for every character that a Delta column's name cannot have."""
    return documents.toDF(*[_UNFIT_IN_NAMES.sub("_", name) for name in documents.columns])


def check_columns(documents: DataFrame, origin: str, settings: Settings) -> None:
    """Make sure that a source has each column once, and those the settings name.

    Raises:
        SourceError: it has not; `origin` is what the message calls the source.
    """
    names = documents.columns
    folded = [name.lower() for name in names]
    if len(set(folded)) < len(folded):
        same = ", ".join(name for name in names if folded.count(name.lower()) > 1)
        raise SourceError(f"{origin}: columns {same} are one to Spark: name them apart")
    for name, setting in _named(settings).items():
        if name not in names:
            have = ", ".join(names) or "none"
            raise SourceError(f"{origin} has no column {name}, it has {have}: choose with {variable(setting)}")


def table_types(documents: DataFrame, table: DataFrame | None, origin: str, settings: Settings) -> dict[str, DataType]:
    """Types of the table's columns once it can take a source: those it has, then those that only the source has.

    A column of nothing but NULLs has no type. It fits any, and joins the table only where a setting names it.

    Args:
        documents: The source, its names plain and checked.
        table: The table as it is, None if it has to be made.
        origin: What a message calls the source.
        settings: Names of table and columns.

    Raises:
        SourceError: a column's values do not fit the type it has in the table, or Spark cannot compare them.
    """
    types = {field.name: field.dataType for field in table.schema} if table else {}
    for field in documents.schema:
        name, kind = field.name, field.dataType
        if _INCOMPARABLE.search(kind.simpleString()):
            raise SourceError(
                f"{origin}: column {name} is {kind.simpleString()}, which Spark cannot compare: leave it out, or make "
                f"it JSON text"
            )
        if name in types and not _fits(kind, types[name]):
            raise SourceError(
                f"{origin}: column {name} is {kind.simpleString()}, but has been {types[name].simpleString()} in "
                f"{settings.source_table}, and readers of its change feed cannot follow that: give the column another "
                f"name, or start another --home"
            )
        if not isinstance(kind, NullType):
            types.setdefault(name, kind)
        elif name in _named(settings):
            types.setdefault(name, StringType())
    return types


def project(documents: DataFrame, types: dict[str, DataType]) -> DataFrame:
    """Return the columns of `types`, in that order, NULL where there is none."""
    have = documents.columns
    return documents.select(
        *[(F.col(name) if name in have else F.lit(None)).cast(kind).alias(name) for name, kind in types.items()]
    )


def variable(setting: str) -> str:
    """Tell a person where a setting is set."""
    return f"setting {setting} ({ENVIRONMENT_PREFIX}{setting.upper()})"


def _named(settings: Settings) -> dict[str, str]:
    """Columns that a source must have, each with the setting that says so."""
    chosen = dict.fromkeys(settings.metadata_columns, "metadata_columns")
    return chosen | {settings.id_column: "id_column", settings.text_column: "text_column"}


def _fits(given: DataType, kept: DataType) -> bool:
    """Say whether every value of one type can stand in a column of the other."""
    if isinstance(given, NullType) or given.simpleString() == kept.simpleString():
        return True
    if isinstance(kept, StringType):
        return isinstance(given, NumericType | BooleanType)
    pair = [kind.simpleString() for kind in (given, kept)]
    return set(pair) <= set(_WIDER) and sorted(pair, key=_WIDER.index) == pair
