"""The source table: is it fit to be read, and reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import SourceError
from pipelines.settings import ENVIRONMENT_PREFIX
from pipelines.tables import DOCUMENTS_QUARANTINE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

    from pipelines.settings import Settings

_WHOLE_NUMBERS = ("byte", "short", "integer", "long")
# Bytes are no id: as text they would lose what tells them apart. A version must have an order that a number keeps.
_ALLOWED_TYPES = {
    "id_column": ("string", *_WHOLE_NUMBERS, "decimal", "date"),
    "version_column": (*_WHOLE_NUMBERS, "timestamp"),
}


def source_schema(spark: SparkSession, settings: Settings) -> StructType:
    """Return the schema of the source table, checked.

    Raises:
        SourceError: the table or a column named in the settings is not there or of a type that
            cannot serve, or a column has a name of ours.
    """
    from pyspark.errors import AnalysisException  # noqa: PLC0415  # Spark only where Spark is used

    try:
        schema: StructType = spark.table(settings.source_table).schema
    except AnalysisException as error:
        if error.getCondition() == "TABLE_OR_VIEW_NOT_FOUND":
            raise SourceError(
                f"source table {settings.source_table} does not exist: check setting source_table"
            ) from None
        raise
    wanted = [
        ("text_column", settings.text_column),
        *(("metadata_columns", column) for column in settings.metadata_columns),
        *((name, getattr(settings, name)) for name in _ALLOWED_TYPES if getattr(settings, name)),
    ]
    for setting, column in wanted:
        where = f"correct setting {setting} ({ENVIRONMENT_PREFIX}{setting.upper()})"
        if column not in schema.names:
            raise SourceError(
                f"source table {settings.source_table} has no column {column}; "
                f"it has {', '.join(schema.names)}: {where}"
            )
        kind = schema[column].dataType.typeName()
        allowed = _ALLOWED_TYPES.get(setting)
        if allowed and kind not in allowed:
            raise SourceError(
                f"column {column} of source table {settings.source_table} is of type {kind}; {setting} may be of type "
                f"{', '.join(allowed)}: {where}"
            )
    taken = [name for name in schema.names if name.lower() in DOCUMENTS_QUARANTINE.columns]
    if taken:
        raise SourceError(f"source table {settings.source_table} has a column {taken[0]}, a name of ours: rename it")
    return schema


def source_table_id(spark: SparkSession, settings: Settings) -> str:
    """Return the id that Delta gave the source table when it was made; one made in its place has another.

    Raises:
        SourceError: the table is to be read through its change feed and has none.
    """
    detail = spark.sql(f"DESCRIBE DETAIL {settings.source}").collect()[0]
    if settings.source_mode == "changes" and detail.properties.get("delta.enableChangeDataFeed") != "true":
        raise SourceError(
            f"source table {settings.source_table} has no change feed: run ALTER TABLE {settings.source_table} SET "
            "TBLPROPERTIES (delta.enableChangeDataFeed = true), or set source_mode to appends if rows are only added"
        )
    table_id: str = detail.id
    return table_id


def read_source(spark: SparkSession, settings: Settings) -> DataFrame:
    """Stream the source: its change feed from the table as it stands, or without one its appends.

    No starting version: the first run gets the table as inserts, and no later one can fail because the log was
    cleaned up. No `skipChangeCommits` either, which would lose an UPDATE in silence: without a feed, a commit that
    changes rows stops the stream.
    """
    if settings.source_mode == "changes":
        return spark.readStream.option("readChangeFeed", "true").table(settings.source_table)
    return spark.readStream.table(settings.source_table)


def read_table(spark: SparkSession, name: str) -> DataFrame:
    """Stream another table of the pipeline.

    With `skipChangeCommits`, since a full refresh of that table deletes its rows, which is no news here; the rows it
    then adds come through once more, and the winner counts them once.
    """
    return spark.readStream.option("skipChangeCommits", "true").table(name)
