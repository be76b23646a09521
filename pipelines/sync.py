"""The sync: the one step that turns the log into a state, and the only one that writes to the index.

Spark finds what differs; the driver sends it, for one process can obey one rate limit and outruns what the index takes.
A crash anywhere leaves a state from which the next sync converges: before a request goes out, `index_state` says that
nothing is known of the records it touches, and says what is there only after the answer.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

from pipelines.apply import apply_window, would_apply
from pipelines.changes import Summary, summarise, to_changes
from pipelines.documents import Document, differing_documents, windows
from pipelines.errors import SyncRefused, TooManyRefused
from pipelines.guard import Guard
from pipelines.heads import to_heads
from pipelines.ids import content_hash_column
from pipelines.index import VectorIndex
from pipelines.recipe import embeddings_recipe
from pipelines.report import SyncReport
from pipelines.source import source_table_id
from pipelines.state import State
from pipelines.tables import EMBEDDINGS
from pipelines.to_documents import document_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import DataFrame, SparkSession

    from pipelines.settings import Settings

WINDOW_RECORDS = 10_000  # records in the driver at a time: 15 MB of vectors, some 50 MB as requests


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
        TooManyRefused: it refused more records than `max_dead_letter_ratio` allows; all others are in.
    """
    report = _started(spark, settings)
    state = State(spark, settings)
    with VectorIndex(settings, api_key) as index:
        try:
            started = monotonic()
            changes, summary = _plan(spark, settings, state, report)
            report.seconds["plan"] = monotonic() - started
            if summary.n_changed:
                guard, dead = Guard(summary, settings), {} if settings.dry_run else state.dead_letters()
                for window in _windows(spark, settings, report, changes):
                    if settings.dry_run:
                        would_apply(window, report)
                        on_progress(f"{report.n_upserted:,} records would be written, {report.n_deleted:,} deleted")
                    else:
                        apply_window(window, state, index, report, guard=guard, dead=dead)
                        on_progress(f"{report.n_upserted:,} records written, {report.n_deleted:,} deleted")
            report.seconds["apply"] = monotonic() - started - report.seconds["plan"]
            report.n_records = report.n_upserted + report.n_unchanged + summary.n_waiting
            report.outcome = "partial" if report.n_refused else "succeeded"
        except SyncRefused as error:
            report.outcome, report.error = "refused", str(error)
            raise
        except Exception as error:
            report.error = str(error) or type(error).__name__
            raise
        finally:
            report.n_requests, report.n_retries, report.n_checks = index.n_requests, index.n_retries, index.n_checks
            report.ended_at = datetime.now(UTC)
            if not settings.dry_run:
                state.record(asdict(report))
    _check_refused(report, settings)
    return report


def _check_refused(report: SyncReport, settings: Settings) -> None:
    if not report.n_refused:
        return
    ratio = report.n_refused / (report.n_refused + report.n_upserted)
    said = (
        f"the index refused {report.n_refused} records for good, {ratio:.1%} of those sent: table dead_letter has them "
        "with the reasons; they are sent again when their document changes, or once with retry_dead_letters=true"
    )
    if ratio > settings.max_dead_letter_ratio:
        raise TooManyRefused(f"{said}. Allowed are {settings.max_dead_letter_ratio:.1%}, setting max_dead_letter_ratio")
    report.advice.append(said)


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
    held = state.held(retry_dead_letters=settings.retry_dead_letters)
    changes = to_changes(heads, held, source_ids, recipe)
    summary = summarise(changes)
    _note(report, summary)
    try:
        Guard(summary, settings).check()
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
