"""What a sync finds before it does anything: every document that can have changed, against what the index holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.changes import Summary, summarise, to_changes
from pipelines.form import MAX_CHANGED_DOCUMENTS, LastRun, why_whole
from pipelines.heads import to_heads
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
    embeddings: DataFrame  # rows of `embeddings` of the documents compared
    changes: DataFrame  # from `to_changes`
    summary: Summary


def compare(spark: SparkSession, settings: Settings, state: State, snapshot: Snapshot) -> Comparison:
    """Compare what can have changed since the last sync; everything, where that is not known."""
    held, last = state.holding(), last_run(spark, settings)
    reason = why_whole(last, snapshot, held, settings)
    ids: DataFrame | None = None
    if last is not None and reason is None:
        ids, reason = _changed_ids(spark, settings, state, snapshot, last)
    if ids is None:
        changes = _changes(spark, settings, state, snapshot, None)
        embeddings = snapshot.embeddings(spark, settings)
        return Comparison("whole", str(reason), embeddings, changes, summarise(changes))
    changes = _changes(spark, settings, state, snapshot, ids)
    embeddings = _of(snapshot.embeddings(spark, settings), ids)
    summary = summarise(changes).beside(state.holding(without=ids))
    return Comparison("incremental", "the last sync left nothing open", embeddings, changes, summary)


def _changed_ids(
    spark: SparkSession, settings: Settings, state: State, snapshot: Snapshot, last: LastRun
) -> tuple[DataFrame | None, str | None]:
    """Column `doc_id` of every document that can have changed, or why they cannot be named."""
    changed = snapshot.changed_ids(spark, settings, last.table_version, last.source_version)
    # A document may be forgotten or allowed back without a row anywhere; there are few of them.
    changed = changed.union(state.forgotten(undone=True)).where("doc_id IS NOT NULL").distinct()
    try:
        found = changed.limit(MAX_CHANGED_DOCUMENTS + 1).collect()
    except PySparkException as error:  # files vacuumed, a log cleaned, a feed that was off for a while
        return None, f"the changes since the last sync cannot be read: {error.getCondition() or type(error).__name__}"
    if len(found) > MAX_CHANGED_DOCUMENTS:
        return None, f"more than {MAX_CHANGED_DOCUMENTS} documents changed"
    return spark.createDataFrame(found, "doc_id STRING"), None


def _changes(
    spark: SparkSession, settings: Settings, state: State, snapshot: Snapshot, ids: DataFrame | None
) -> DataFrame:
    """Classify documents: those of these ids, or all."""
    heads = to_heads(_of(snapshot.embeddings(spark, settings), ids), snapshot.recipe)
    held = _of(state.held(retry_dead_letters=settings.retry_dead_letters), ids)
    source_ids = snapshot.source_ids(spark, settings)
    if source_ids is not None:
        source_ids = _of(source_ids, ids)
    return to_changes(heads, held, source_ids, state.forgotten(), snapshot.recipe)


def _of(rows: DataFrame, ids: DataFrame | None) -> DataFrame:
    return rows if ids is None else rows.join(F.broadcast(ids), "doc_id", "left_semi")
