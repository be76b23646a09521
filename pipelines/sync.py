"""The sync: the one step that turns the log into a state, and the only one that writes to the index.

Spark finds what differs; the driver sends it, for one process can obey one rate limit and outruns what the index takes.
A crash anywhere leaves a state from which the next sync converges: before a request goes out, `index_state` says that
nothing is known of the records it touches, and says what is there only after the answer.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING

from pipelines.changes import Summary, summarise, to_changes
from pipelines.documents import Document, differing_documents, windows
from pipelines.errors import SyncRefused
from pipelines.heads import to_heads
from pipelines.ids import content_hash_column, record_id
from pipelines.index import VectorIndex
from pipelines.recipe import embeddings_recipe
from pipelines.report import SyncReport
from pipelines.source import source_table_id
from pipelines.state import State
from pipelines.tables import EMBEDDINGS
from pipelines.to_documents import document_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from pipelines.settings import Settings

WINDOW_RECORDS = 10_000  # records in the driver at a time: 15 MB of vectors, some 50 MB as requests
MIN_GUARDED_RECORDS = 100  # a namespace this small may lose any share of its records


def sync(
    spark: SparkSession,
    settings: Settings,
    api_key: str,
    on_progress: Callable[[str], None] = lambda _line: None,
) -> SyncReport:
    """Make the namespace hold what the winners say, and nothing else of ours.

    Args:
        spark: a session that sees the pipeline's tables.
        settings: which index and namespace; `dry_run` plans and writes nothing, anywhere.
        api_key: Pinecone's.
        on_progress: told in a line after each window how far it is.

    Raises:
        SyncRefused: a guard stopped it before the first write.
        VectorIndexError: the index refused or could not be reached; the next sync goes on from there.
    """
    report = _started(spark, settings)
    state = State(spark, settings)
    with VectorIndex(settings, api_key) as index:
        try:
            started = monotonic()
            changes, summary = _plan(spark, settings, state, report)
            report.seconds["plan"] = monotonic() - started
            if summary.n_changed:
                would = "would be " if settings.dry_run else ""
                for window in _windows(spark, settings, report, changes):
                    _apply(window, state, index, report, dry_run=settings.dry_run)
                    on_progress(f"{report.n_upserted:,} records {would}written, {report.n_deleted:,} deleted")
            report.seconds["apply"] = monotonic() - started - report.seconds["plan"]
            report.n_records = report.n_upserted + report.n_unchanged + summary.n_waiting
            report.outcome = "succeeded"
        except SyncRefused as error:
            report.outcome, report.error = "refused", str(error)
            raise
        except Exception as error:
            report.error = str(error) or type(error).__name__
            raise
        finally:
            report.n_requests, report.n_checks = index.n_requests, index.n_checks
            report.ended_at = datetime.now(UTC)
            if not settings.dry_run:
                state.record(asdict(report))
    return report


def _started(spark: SparkSession, settings: Settings) -> SyncReport:
    """Fix the version of `embeddings` that this run reads."""
    table = settings.table(EMBEDDINGS.name)
    detail = spark.sql(f"DESCRIBE DETAIL {table}").collect()[0]
    latest = spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1").collect()[0]
    return SyncReport(
        run_id=str(uuid.uuid4()),
        index=settings.index_name,
        namespace=settings.namespace,
        started_at=datetime.now(UTC),
        table_id=detail.id,
        table_version=latest.version,
        source_table_id=source_table_id(spark, settings),
        source_epoch=settings.source_epoch,
        dry_run=settings.dry_run,
    )


def _embeddings(spark: SparkSession, settings: Settings, report: SyncReport) -> DataFrame:
    return spark.sql(f"SELECT * FROM {settings.table(EMBEDDINGS.name)} VERSION AS OF {report.table_version}")


def _plan(spark: SparkSession, settings: Settings, state: State, report: SyncReport) -> tuple[DataFrame, Summary]:
    """Compare, count, and refuse what the guard refuses."""
    recipe = embeddings_recipe(settings)
    source_ids = None
    if settings.source_mode == "changes":
        # At one version: the guard must judge what is then applied.
        version = spark.sql(f"DESCRIBE HISTORY {settings.source} LIMIT 1").collect()[0].version
        source = spark.sql(f"SELECT * FROM {settings.source} VERSION AS OF {version}")
        source_ids = source.select(content_hash_column(document_id(settings)).alias("doc_id"))
    heads = to_heads(_embeddings(spark, settings, report), recipe)
    changes = to_changes(heads, state.held(), source_ids, recipe)
    summary = summarise(changes)
    _note(report, summary)
    try:
        _guard(summary, settings)
    except SyncRefused as refusal:
        if not settings.dry_run:
            raise
        report.advice.append(f"a sync would stop here: {refusal}")
    return changes, summary


def _windows(
    spark: SparkSession, settings: Settings, report: SyncReport, changes: DataFrame
) -> Iterator[list[Document]]:
    embeddings = _embeddings(spark, settings, report)
    return windows(differing_documents(embeddings, changes, with_records=not settings.dry_run), WINDOW_RECORDS)


def _note(report: SyncReport, summary: Summary) -> None:
    report.n_documents, report.n_sentences = summary.n_documents, summary.n_sentences
    report.n_changed, report.n_unchanged = summary.n_changed, summary.n_same
    report.n_pending, report.n_tied = summary.n_pending, summary.n_tied
    if summary.n_pending_recipe:
        report.advice.append(f"{summary.n_pending_recipe} documents wait: settings changed, run a full refresh")
    if waiting := summary.n_pending - summary.n_pending_recipe:
        report.advice.append(f"{waiting} documents wait for rows that are not there yet: run the pipeline")
    if summary.n_tied:
        report.advice.append(
            f"{summary.n_tied} documents have two texts in one version: the source inserted an id twice in one commit. "
            "Delete both rows and insert the right one: to delete one alone takes the document out of the index"
        )


def _guard(summary: Summary, settings: Settings) -> None:
    """Refuse what no sound run would do, before the first write."""
    if summary.other_models:
        raise SyncRefused(
            f"namespace {settings.namespace} holds vectors of {', '.join(summary.other_models)}, and the settings say "
            "another model: vectors of two models never mix, choose another namespace"
        )
    if summary.n_gone and summary.n_reshaped:
        raise SyncRefused(
            f"{summary.n_reshaped} documents were made by other settings or from another source table, so that "
            f"{summary.n_gone} ids which the source does not hold prove nothing: run a full refresh of the pipeline"
        )
    ratio = summary.n_deletes / summary.n_held if summary.n_held else 0.0
    if summary.n_held >= MIN_GUARDED_RECORDS and ratio > settings.max_delete_ratio:
        enough = ceil(ratio * 100) / 100
        raise SyncRefused(
            f"this sync would delete {summary.n_deletes} of {summary.n_held} records ({ratio:.0%}), allowed are "
            f"{settings.max_delete_ratio:.0%}: if that is right, run once with max_delete_ratio={enough}, "
            f"a parameter of the job, locally --set max_delete_ratio={enough}"
        )


def _apply(window: Sequence[Document], state: State, index: VectorIndex, report: SyncReport, *, dry_run: bool) -> None:
    """Send one window: intent, upserts, deletes, and only then what is known."""
    plans = [(document, document.plan()) for document in window]
    upserts = [(document, ordinal) for document, plan in plans for ordinal in plan.upserts]
    deletes = [record_id(document.change["doc_id"], o) for document, plan in plans for o in plan.deletes]
    if not dry_run:
        state.merge([document.intent_row() for document, plan in plans if plan.upserts or plan.deletes])
        index.upsert([document.records[ordinal] for document, ordinal in upserts])
        index.delete(deletes)
        state.merge([document.done_row() for document in window])
    report.n_upserted += len(upserts)
    report.n_deleted += len(deletes)
    report.n_unchanged += sum(plan.n_unchanged for _, plan in plans)
