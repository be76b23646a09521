"""The source table: is it fit to be read, and reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import SourceError
from pipelines.settings import ENVIRONMENT_PREFIX
from pipelines.tables import RAW

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

    from pipelines.settings import Settings


def source_schema(spark: SparkSession, settings: Settings) -> StructType:
    """Return the schema of the source table, checked.

    Raises:
        SourceError: the table or a column named in the settings is not there, or a column has a name of ours.
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
    wanted = {
        "id_column": [settings.id_column] if settings.id_column else [],
        "text_column": [settings.text_column],
        "metadata_columns": list(settings.metadata_columns),
    }
    for setting, columns in wanted.items():
        for column in columns:
            if column not in schema.names:
                raise SourceError(
                    f"source table {settings.source_table} has no column {column}; it has {', '.join(schema.names)}: "
                    f"correct setting {setting} ({ENVIRONMENT_PREFIX}{setting.upper()})"
                )
    taken = [name for name in schema.names if name.lower() in RAW.columns]
    if taken:
        raise SourceError(f"source table {settings.source_table} has a column {taken[0]}, a name of ours: rename it")
    return schema


def check_change_feed(spark: SparkSession, settings: Settings) -> None:
    """Check that a source to be read through its change feed has one.

    Raises:
        SourceError: it has none.
    """
    if settings.source_mode != "changes":
        return
    properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {settings.source_table}").collect()}
    if properties.get("delta.enableChangeDataFeed") != "true":
        raise SourceError(
            f"source table {settings.source_table} has no change feed: run ALTER TABLE {settings.source_table} SET "
            "TBLPROPERTIES (delta.enableChangeDataFeed = true), or set source_mode to appends if rows are only added"
        )


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
