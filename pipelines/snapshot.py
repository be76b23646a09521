"""The versions of the tables that one sync reads, fixed at its start: what the guard judged is what is applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.ids import content_hash_column
from pipelines.recipe import embeddings_recipe
from pipelines.source import source_table_id
from pipelines.tables import EMBEDDINGS
from pipelines.to_documents import document_id

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which table, and which version of it."""

    table_id: str  # of `embeddings`; another if it was made again
    table_version: int
    source_table_id: str
    source_version: int | None  # None where the source has no change feed, and so no say in what is gone
    recipe: str  # of the settings

    @classmethod
    def take(cls, spark: SparkSession, settings: Settings) -> Snapshot:
        """Look where the tables are now.

        Raises:
            SourceError: the source has no change feed and should have one.
        """
        table = settings.table(EMBEDDINGS.name)
        return cls(
            table_id=spark.sql(f"DESCRIBE DETAIL {table}").collect()[0].id,
            table_version=_version(spark, table),
            source_table_id=source_table_id(spark, settings),
            source_version=_version(spark, settings.source) if settings.source_mode == "changes" else None,
            recipe=embeddings_recipe(settings),
        )

    def embeddings(self, spark: SparkSession, settings: Settings) -> DataFrame:
        """Rows of `embeddings`."""
        return spark.sql(f"SELECT * FROM {settings.table(EMBEDDINGS.name)} VERSION AS OF {self.table_version}")

    def source_ids(self, spark: SparkSession, settings: Settings) -> DataFrame | None:
        """Column `doc_id` of what the source holds; None where that cannot be known."""
        if self.source_version is None:
            return None
        source = spark.sql(f"SELECT * FROM {settings.source} VERSION AS OF {self.source_version}")
        return source.select(content_hash_column(document_id(settings)).alias("doc_id"))

    def changed_ids(
        self, spark: SparkSession, settings: Settings, table_version: int, source_version: int | None
    ) -> DataFrame:
        """Column `doc_id`, repeated, of documents whose rows in `embeddings` or in the source are not those of then.

        It is read from the tables' change feeds, so that rows which a refresh took away count like those it added.
        """
        changed = changes_since(spark, settings.table(EMBEDDINGS.name), table_version, self.table_version).select(
            "doc_id"
        )
        if self.source_version is not None and source_version is not None:
            source = changes_since(spark, settings.source, source_version, self.source_version)
            changed = changed.union(source.select(content_hash_column(document_id(settings)).alias("doc_id")))
        return changed


def _version(spark: SparkSession, table: str) -> int:
    version: int = spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1").collect()[0].version
    return version


def changes_since(spark: SparkSession, table: str, seen: int, now: int) -> DataFrame:
    """Rows of a table's change feed after version `seen`, up to version `now`."""
    if seen == now:
        return spark.table(table).limit(0)
    feed = spark.read.option("readChangeFeed", "true").option("startingVersion", seen + 1)
    return feed.option("endingVersion", now).table(table)
