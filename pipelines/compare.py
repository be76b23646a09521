"""What a sync finds before it does anything: every document that can have changed, against what the index holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException

from pipelines.changes import NOTHING, Summary, summarise, to_changes
from pipelines.form import MAX_CHANGED_DOCUMENTS, LastRun, why_whole
from pipelines.heads import to_heads
from pipelines.rows import kept, these
from pipelines.runs import last_run

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from pipelines.settings import Settings
    from pipelines.snapshot import Snapshot
    from pipelines.state import State


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found, and how it was looked for."""

    form: str  # incremental or whole
    reason: str  # why that one
    summary: Summary
    embeddings: DataFrame | None = None  # rows of `embeddings` of the documents compared; None where there are none
    changes: DataFrame | None = None  # from `to_changes`


def compare(spark: SparkSession, settings: Settings, state: State, snapshot: Snapshot) -> Comparison:
    """Compare what can have changed since the last sync; everything, where that is not known."""
    held, last = state.holding(), last_run(spark, settings)
    reason = why_whole(last, snapshot, held, settings)
    ids: list[str] | None = None
    if last is not None and reason is None:
        ids, reason = _changed_ids(spark, settings, state, snapshot, last)
    if ids is None:
        retry = settings.retry_dead_letters
        embeddings, found = classify(spark, settings, state, snapshot, retry_dead_letters=retry)
        changes = kept(found)
        return Comparison("whole", str(reason), summarise(changes), embeddings, changes)
    how = "incremental", "the last sync left nothing open"
    if not ids:
        return Comparison(*how, NOTHING.among(held))
    chosen = spark.createDataFrame([(doc_id,) for doc_id in ids], "doc_id STRING")
    embeddings, found = classify(spark, settings, state, snapshot, chosen)
    changes = kept(found)
    return Comparison(*how, summarise(changes).among(held), embeddings, changes)


def _changed_ids(
    spark: SparkSession, settings: Settings, state: State, snapshot: Snapshot, last: LastRun
) -> tuple[list[str] | None, str | None]:
    """Name every document that can have changed, or say why they cannot be named."""
    try:
        changed = snapshot.changed_ids(spark, settings, last.table_version, last.source_version)
        # A document may be forgotten or allowed back without a row anywhere; there are few of them.
        changed = changed.union(state.forgotten(undone=True)).where("doc_id IS NOT NULL").distinct()
        found = changed.limit(MAX_CHANGED_DOCUMENTS + 1).collect()
    except PySparkException as error:  # files vacuumed, a log cleaned, a feed that was off for a while
        return None, f"the changes since the last sync cannot be read: {error.getCondition() or type(error).__name__}"
    if len(found) > MAX_CHANGED_DOCUMENTS:
        return None, f"more than {MAX_CHANGED_DOCUMENTS} documents changed"
    return [row.doc_id for row in found], None


def classify(  # noqa: PLR0913  # what a comparison needs
    spark: SparkSession,
    settings: Settings,
    state: State,
    snapshot: Snapshot,
    ids: DataFrame | None = None,
    *,
    retry_dead_letters: bool = False,
) -> tuple[DataFrame, DataFrame]:
    """Rows of `embeddings` and changes of documents: those of these ids, or all.

    Args:
        spark: a session that sees the tables.
        settings: which namespace, and which source.
        state: what is held of it.
        snapshot: the versions of the tables.
        ids: column `doc_id`; None for all.
        retry_dead_letters: let documents with a refused record look as if nothing were known of them.
    """
    embeddings = these(snapshot.embeddings(spark, settings), ids)
    held = state.held(ids, retry_dead_letters=retry_dead_letters)
    source_ids = snapshot.source_ids(spark, settings)
    if source_ids is not None:
        source_ids = these(source_ids, ids)
    heads = to_heads(embeddings, snapshot.recipe)
    return embeddings, to_changes(heads, held, source_ids, state.forgotten(), snapshot.recipe)
