"""Whether what a sync reports, what its tables say and what the index holds agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.form import GOOD
from pipelines.index import VectorIndex
from pipelines.reader import Reader, until
from pipelines.state_tables import INDEX_STATE, SYNC_RUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipelines.report import SyncReport
    from pipelines.settings import Settings

_RECONCILE: Final = "the job reconcile says which"
# A document's last row counts; of its records those whose hash is known are in the index, the others were refused.
_HELD: Final = """
    SELECT count_if(NOT deleted), coalesce(sum(n), 0) FROM (
        SELECT max_by(deleted, seq) AS deleted, max_by(array_size(array_compact(payload_hashes)), seq) AS n
        FROM {table} WHERE `index` = :index AND namespace = :namespace GROUP BY doc_id)
"""
_LAST_RUN: Final = """
    SELECT max_by(run_id, started_at) FROM {table} WHERE `index` = :index AND namespace = :namespace
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so."""

    what: str
    expected: str
    found: str
    holds: bool
    advice: str  # what to do where it does not hold


def of_report(report: SyncReport, dimension: int, settings: Settings) -> Iterator[Check]:
    """Check what the report alone says.

    Args:
        report: of the sync.
        dimension: of the model, as `prepare` found it, which held the index against it.
        settings: of the deployed job.
    """
    yield _same("dimension", dimension, report.dimension, "deploy again")
    asked, got = f"{settings.index_name}/{settings.namespace}", f"{report.index}/{report.namespace}"
    yield _same("index and namespace", asked, got, "deploy again")
    good = report.outcome in GOOD
    yield Check("outcome of the sync", " or ".join(GOOD), report.outcome, good, f"it says {report.error}")


def of_tables(
    report: SyncReport, settings: Settings, ask: Callable[[str, Mapping[str, str]], Sequence[str | None]]
) -> Iterator[Check]:
    """Check the report against the state tables.

    Args:
        report: of the sync.
        settings: of the deployed job.
        ask: runs SQL with named parameters, and returns the first row, values as text.
    """
    here = {"index": settings.index_name, "namespace": settings.namespace}
    held = ask(_HELD.format(table=settings.table(INDEX_STATE.name)), here)
    n_documents, n_records = (int(value or 0) for value in held)
    # Of a document held back it is not known whether it is among those held.
    within = f", {report.n_pending:,} of them pending" if report.n_pending else ""
    near = abs(n_documents - report.n_documents) <= report.n_pending
    documents = f"{report.n_documents:,}{within}"
    yield Check("documents in index_state", documents, f"{n_documents:,}", near, _RECONCILE)
    yield _same("records in index_state", report.n_records, n_records, _RECONCILE)
    (run_id,) = ask(_LAST_RUN.format(table=settings.table(SYNC_RUNS.name)), here)
    ours = run_id == report.run_id
    yield Check("last run in sync_runs", report.run_id[:8], (run_id or "none")[:8], ours, "another came since, or none")


def of_index(report: SyncReport, settings: Settings, api_key: str, limit_s: float) -> Iterator[Check]:
    """Check the report against the index's own statistics.

    Args:
        report: of the sync.
        settings: of the deployed job.
        api_key: Pinecone's.
        limit_s: how long the statistics may take to follow what was written.
    """
    with VectorIndex(settings, api_key) as index:
        reader = Reader(index, settings.namespace)
        until(lambda: reader.n_records() == report.n_records, limit_s)
        yield _same("records in the index", report.n_records, reader.n_records(), _RECONCILE)


def _same(what: str, expected: int | str, found: int | str, advice: str) -> Check:
    wanted, got = (f"{value:,}" if isinstance(value, int) else value for value in (expected, found))
    return Check(what, wanted, got, expected == found, advice)
