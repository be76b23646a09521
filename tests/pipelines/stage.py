"""The last part of the pipeline and what the job does after its sync, on tables of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.embedding_cache import keep_vectors, kept_vectors
from pipelines.ids import content_hash
from pipelines.report import SyncReport
from pipelines.state_tables import EMBEDDING_CACHE
from pipelines.tables import EMBEDDINGS, SENTENCES
from pipelines.to_embeddings import to_embeddings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

    from pipelines.settings import Settings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stage:
    """The last part of the pipeline and what the job does after its sync, on tables of their own."""

    spark: SparkSession
    settings: Settings

    @property
    def cache(self) -> str:
        return self.settings.table(EMBEDDING_CACHE.name)

    def embed(self, texts: list[str | None], **changed: object) -> list[Row]:
        """Embed texts, None for a tombstone, without noting it anywhere."""
        settings = replace(self.settings, **changed)  # type: ignore[arg-type]
        return self._embedded(texts, settings).orderBy("id").collect()

    def n_model_calls(self, texts: list[str | None], **changed: object) -> int:
        rows = self.embed(texts, **changed)
        assert len(rows) == len(texts)  # none lost, none doubled
        assert all((row.vector is None) == (text is None) for row, text in zip(rows, texts, strict=True))
        return sum(row.embedded for row in rows)

    def run(self, texts: list[str | None], **changed: object) -> list[str]:
        """Embed texts into the log, and keep what the model made; return the advice, without what was in brackets."""
        settings = replace(self.settings, **changed)  # type: ignore[arg-type]
        self._embedded(texts, settings).select(*EMBEDDINGS.columns).write.insertInto(settings.table(EMBEDDINGS.name))
        return self.keep(**changed)

    def keep(self, **changed: object) -> list[str]:
        """Do what the job does after its sync; return the advice likewise."""
        settings = replace(self.settings, **changed)  # type: ignore[arg-type]
        table = settings.table(EMBEDDINGS.name)
        report = SyncReport("run", "docs", "one", NOON, source_epoch=0)
        report.table_id = self.spark.sql(f"DESCRIBE DETAIL {table}").collect()[0].id
        report.table_version = self.spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1").collect()[0].version
        keep_vectors(self.spark, settings, report)
        return [line.partition(" (")[0] for line in report.advice]

    def n_kept(self) -> int:
        return self.spark.table(self.cache).count()

    def _embedded(self, texts: list[str | None], settings: Settings) -> DataFrame:
        one_task = sentences(self.spark, texts).coalesce(1)
        return to_embeddings(one_task, kept_vectors(self.spark, settings), settings)


def sentences(spark: SparkSession, texts: list[str | None]) -> DataFrame:
    rows = []
    for i, text in enumerate(texts):
        mine = {
            "id": f"{i:05}#0",
            "doc_id": f"{i:05}",
            "version": 1,
            "ordinal": None if text is None else 0,
            "n_sentences": int(text is not None),
            "sentence": text,
            "text_hash": None if text is None else content_hash(text),
            "metadata": None if text is None else "{}",
            "deleted": text is None,
        }
        rows.append(tuple(mine.get(name) for name in SENTENCES.columns))
    return spark.createDataFrame(rows, SENTENCES.ddl())
