"""The sync: the one step that turns the log into a state, and the only one that writes to the index.

Spark finds what differs; the driver sends it, for one process can obey one rate limit and outruns what the index takes.
A crash anywhere leaves a state from which the next sync converges: before a request goes out, `index_state` says that
nothing is known of the records it touches, and says what is there only after the answer.
"""

from __future__ import annotations

import gc
import uuid
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException

from pipelines.apply import apply_windows, plan_window
from pipelines.compare import Comparison, compare
from pipelines.documents import Document, read_documents, windows
from pipelines.errors import SyncRefused, TooManyRefused, VectorIndexError
from pipelines.guard import Guard
from pipelines.index import VectorIndex
from pipelines.inspection import Kind
from pipelines.lease import Lease
from pipelines.reader import Reader
from pipelines.report import SyncReport
from pipelines.runs import record
from pipelines.snapshot import Snapshot
from pipelines.state import State
from pipelines.survey import Survey
from pipelines.weights import dimension

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import SparkSession

    from pipelines.changes import Summary
    from pipelines.settings import Settings

WINDOW_RECORDS = 25_000  # two windows are in the driver at a time: 38 MB of vectors each


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
        SyncRefused: a guard stopped it before the first write, or another run writes.
        VectorIndexError: the index refused or could not be reached; the next sync goes on from there.
        LeaseLost: another run may write by now; the next sync goes on from there.
        TooManyRefused: it refused more records than `max_dead_letter_ratio` allows; all others are in.
    """
    report = SyncReport(
        run_id=str(uuid.uuid4()),
        index=settings.index_name,
        namespace=settings.namespace,
        started_at=datetime.now(UTC),
        source_epoch=settings.source_epoch,
        dimension=dimension(settings.model_path or None),
        dry_run=settings.dry_run,
    )
    if settings.dry_run:
        _plan(spark, settings, report, on_progress)
        return report
    lease = Lease(spark, settings, report.run_id)
    state = State(spark, settings, lease.check, report.run_id)
    with _recorded(spark, settings, report), lease, VectorIndex(settings, api_key, lease.check) as index:
        if settings.adopt:
            with _phase(report, "adopt"), _counted(report, index):
                reader = Reader(index, settings.namespace)
                survey = Survey(spark, settings, state, Snapshot.take(spark, settings), reader)
                kinds = Counter(finding.kind for finding in survey.correct_state())
                report.advice.append(f"adopted what is there; {kinds[Kind.FOREIGN]:,} foreign records stay as they are")
        with _phase(report, "plan"):
            found = _compared(spark, settings, state, report)
            guard = Guard(found.summary, settings)
            guard.check()
        with _phase(report, "apply"), _counted(report, index), _few_collections():
            ahead = _windows(found, with_records=True)
            for _ in apply_windows(ahead, state, index, report, guard=guard, sending=index.sending):
                on_progress(f"{report.n_upserted:,} records written, {report.n_deleted:,} deleted")
            report.n_records = report.n_upserted + report.n_unchanged + found.summary.n_waiting
        with _phase(report, "visible"), _counted(report, index):
            if report.n_upserted or report.n_deleted:
                report.lsn, report.visible_at = index.lsn, _seen_at(Reader(index, settings.namespace))
        with _phase(report, "compact"), suppress(PySparkException):  # what was to be done is done
            state.compact()
    _check_refused(report, settings)
    return report


def _plan(spark: SparkSession, settings: Settings, report: SyncReport, on_progress: Callable[[str], None]) -> None:
    """Count what a sync would do."""
    with _phase(report, "plan"):
        found = _compared(spark, settings, State(spark, settings), report)
        try:
            Guard(found.summary, settings).check()
        except SyncRefused as refusal:
            report.advice.append(f"a sync would stop here: {refusal}")
        for window in _windows(found, with_records=False):
            plan_window(window, report)
            on_progress(f"{report.n_upserted:,} records would be written, {report.n_deleted:,} deleted")
        report.n_records = report.n_upserted + report.n_unchanged + found.summary.n_waiting
    report.outcome, report.ended_at = "succeeded", datetime.now(UTC)


def _compared(spark: SparkSession, settings: Settings, state: State, report: SyncReport) -> Comparison:
    """Compare, and note what was found."""
    snapshot = Snapshot.take(spark, settings)
    for name in Snapshot.__dataclass_fields__:
        setattr(report, name, getattr(snapshot, name))
    found = compare(spark, settings, state, snapshot)
    report.form, report.reason = found.form, found.reason
    _note(report, found.summary)
    return found


def _windows(found: Comparison, *, with_records: bool) -> Iterator[list[Document]]:
    if found.embeddings is None or found.changes is None or not found.summary.n_changed:
        return iter(())
    n_records = max(found.summary.n_desired, found.summary.n_changed)
    documents = read_documents(found.embeddings, found.changes, n_records=n_records, with_records=with_records)
    return windows(documents, WINDOW_RECORDS)


def _seen_at(reader: Reader) -> datetime | None:
    """Say when reads had got to what was written; nothing where that is not proven in time."""
    try:
        return datetime.now(UTC) if reader.sees_all() else None
    except VectorIndexError:  # what was to be done is done
        return None


@contextmanager
def _phase(report: SyncReport, name: str) -> Iterator[None]:
    started = monotonic()
    try:
        yield
    finally:
        report.seconds[name] = monotonic() - started


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for cyclic garbage less often: windows hold none, and to look through them took a third of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _counted(report: SyncReport, index: VectorIndex) -> Iterator[None]:
    try:
        yield
    finally:
        report.n_requests, report.n_retries, report.n_checks = index.n_requests, index.n_retries, index.n_checks


@contextmanager
def _recorded(spark: SparkSession, settings: Settings, report: SyncReport) -> Iterator[None]:
    """Leave a row in `sync_runs`, however it ends."""
    try:
        yield
    except BaseException as error:
        report.outcome = "refused" if isinstance(error, SyncRefused) and "apply" not in report.seconds else "failed"
        report.error, report.ended_at = str(error) or type(error).__name__, datetime.now(UTC)
        with suppress(Exception):  # what went wrong first is what a person should see
            record(spark, settings, report)
        raise
    report.outcome, report.ended_at = "partial" if report.n_refused else "succeeded", datetime.now(UTC)
    record(spark, settings, report)


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
