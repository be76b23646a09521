"""`smoke`: runs the job that the bundle deployed, and holds what it says against what is there."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar

from rich.markup import escape
from rich.table import Table

from local.bundle.bundle import resolve
from local.bundle.sources import Sources
from local.screen import Screen
from local.workspace import Workspace
from pipelines.errors import DeploymentError, SettingsError
from pipelines.form import GOOD
from pipelines.index import VectorIndex
from pipelines.reader import until
from pipelines.report import SyncReport
from pipelines.settings import load_settings
from pipelines.state_tables import INDEX_STATE, SYNC_RUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.job_run import JobRun
    from pipelines.settings import Settings

_REPOSITORY: Final = Path(__file__).parent.parent
_SEEN_POLLS: Final = 12  # the index's statistics follow its writes, for as long as so many polls take
_RECONCILE: Final = "`databricks bundle run reconcile` says which"
# A document's last row counts; of its records those whose hash is known are in the index, the others were refused.
HELD: Final = """
    SELECT count_if(NOT deleted), coalesce(sum(n), 0) FROM (
        SELECT max_by(deleted, seq) AS deleted, max_by(array_size(array_compact(payload_hashes)), seq) AS n
        FROM {table} WHERE `index` = :index AND namespace = :namespace GROUP BY doc_id)
"""
LAST_RUN: Final = """
    SELECT max_by(run_id, started_at) FROM {table} WHERE `index` = :index AND namespace = :namespace
"""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so."""

    what: str
    expected: str
    found: str
    holds: bool
    advice: str  # what to do where it does not hold


def smoke(
    target: str, *, profile: str | None = None, warehouse_id: str | None = None, timeout_s: float, poll_s: float
) -> None:
    """Run the deployed job once and check what came of it. Needs no Spark and no home.

    Args:
        target: of the bundle.
        profile: of the Databricks configuration; None for what the environment says.
        warehouse_id: SQL warehouse that reads the tables; None for the first of the workspace.
        timeout_s: seconds that the run may take.
        poll_s: seconds between two looks.

    Raises:
        SettingsError: no such target, no credentials.
        DeploymentError: the job is not there, it failed or took too long, or what it says is not what is there.
    """
    sources = Sources.read(_REPOSITORY)
    if target not in sources.targets:
        raise SettingsError(f"--target is {target}; allowed is {', '.join(sources.targets)}")
    screen, workspace = Screen(), Workspace(profile, poll_s)
    name = resolve(sources, target, {}, workspace.short_name()).resources("jobs")["sync"].text("name")
    job = workspace.job(name, f"deploy first: databricks bundle deploy -t {target}")
    settings = load_settings(job.parameters)
    warehouse_id = warehouse_id or workspace.warehouse_id()  # what is missing is missed before the job runs
    run = _followed(screen, workspace.follow(workspace.start(job), timeout_s))
    _require_success(workspace, run)
    report = _parsed(workspace, run, "write_to_pinecone", SyncReport.from_json)
    dimension = _parsed(workspace, run, "prepare", lambda text: int(json.loads(text)["dimension"]))
    checks = [
        *_checks_of_report(report, dimension, settings),
        *_checks_of_tables(workspace, warehouse_id, report, settings),
        *_checks_of_index(report, settings, limit_s=_SEEN_POLLS * poll_s),
    ]
    _summarise(screen, f"{job.name}, run {report.run_id}", checks)
    screen.advise(report.advice)
    if "PINECONE_API_KEY" not in os.environ:
        screen.console.print("The index itself was not asked: set PINECONE_API_KEY for that.")
    if wrong := [f"{it.what}: expected {it.expected}, found {it.found}: {it.advice}" for it in checks if not it.holds]:
        raise DeploymentError(f"{'; '.join(wrong)}; run {run.page}")


def _followed(screen: Screen, looks: Iterator[JobRun]) -> JobRun:
    """Print a line whenever a task changes its state; return the run as it ended."""
    started, states, run = monotonic(), dict[tuple[str, int], str](), None
    print_ = screen.console.print
    for run in looks:
        if not states:
            print_(f"Run: {escape(run.page)}")
        for task in run.attempts:
            status, key = task.status, (task.name, task.attempt)
            if states.get(key) == status.word:
                continue
            states[key] = status.word
            mark = " " if not status.ended else "[green]✓[/]" if status.succeeded else "[red]✗[/]"
            name = f"{task.name}, attempt {task.attempt + 1}" if task.attempt else task.name
            print_(f"{mark} {escape(name):<32}{monotonic() - started:>6.1f} s  {escape(status.word)}")
    assert run is not None  # noqa: S101  # there is always a first look
    return run


def _require_success(workspace: Workspace, run: JobRun) -> None:
    if culprit := run.culprit:
        raise DeploymentError(f"task {culprit.name} failed, {workspace.why(culprit)}: see {culprit.page or run.page}")
    if not run.status.succeeded:
        raise DeploymentError(f"the run ended as {run.status.word}, {run.status.said}: see {run.page}")


def _parsed(workspace: Workspace, run: JobRun, name: str, read: Callable[[str], Value]) -> Value:
    """Read what a task's notebook ended with."""
    if name not in run.tasks:
        raise DeploymentError(f"the job has no task {name}: deploy it again; run {run.page}")
    text = workspace.exit_value(run.tasks[name])
    try:
        return read(text)
    except (KeyError, TypeError, ValueError):
        raise DeploymentError(
            f"task {name} ended with {text!r:.80} where its report is expected: deploy again what this checkout holds; "
            f"see {run.tasks[name].page}"
        ) from None


def _checks_of_report(report: SyncReport, dimension: int, settings: Settings) -> Iterator[Check]:
    yield _same("dimension of index and model", dimension, report.dimension, "choose another index_name")
    asked, got = f"{settings.index_name}/{settings.namespace}", f"{report.index}/{report.namespace}"
    yield _same("index and namespace", asked, got, "deploy again")
    good = report.outcome in GOOD
    yield Check("outcome of the sync", " or ".join(GOOD), report.outcome, good, f"it says {report.error}")


def _checks_of_tables(
    workspace: Workspace, warehouse_id: str, report: SyncReport, settings: Settings
) -> Iterator[Check]:
    here = {"index": settings.index_name, "namespace": settings.namespace}

    def asked(statement: str, table: str) -> list[str | None]:
        return list(workspace.first_row(warehouse_id, statement.format(table=settings.table(table)), here))

    n_documents, n_records = (int(value or 0) for value in asked(HELD, INDEX_STATE.name))
    # Of a document held back it is not known whether it is among those held.
    within = f", {report.n_pending:,} of them pending" if report.n_pending else ""
    near = abs(n_documents - report.n_documents) <= report.n_pending
    documents = f"{report.n_documents:,}{within}"
    yield Check("documents in index_state", documents, f"{n_documents:,}", near, _RECONCILE)
    yield _same("records in index_state", report.n_records, n_records, _RECONCILE)
    (run_id,) = asked(LAST_RUN, SYNC_RUNS.name)
    ours = run_id == report.run_id
    yield Check("last run in sync_runs", report.run_id[:8], (run_id or "none")[:8], ours, "another came since, or none")


def _checks_of_index(report: SyncReport, settings: Settings, limit_s: float) -> Iterator[Check]:
    """Ask the index itself, where there is a key for it."""
    if api_key := os.environ.get("PINECONE_API_KEY"):
        with VectorIndex(settings, api_key) as index:
            until(lambda: index.n_records() == report.n_records, limit_s)
            yield _same("records in the index", report.n_records, index.n_records(), _RECONCILE)


def _same(what: str, expected: int | str, found: int | str, advice: str) -> Check:
    wanted, got = (f"{value:,}" if isinstance(value, int) else value for value in (expected, found))
    return Check(what, wanted, got, expected == found, advice)


def _summarise(screen: Screen, title: str, checks: list[Check]) -> None:
    table = Table(title=escape(title), title_justify="left", box=None, padding=(0, 2))
    for name in ("check", "expected", "found", ""):
        table.add_column(name)
    for check in checks:
        mark = "[green]✓[/]" if check.holds else "[red]✗[/]"
        table.add_row(*(escape(text) for text in (check.what, check.expected, check.found)), mark)
    screen.console.print()
    screen.console.print(table)
