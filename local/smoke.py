"""`smoke`: runs the job that the bundle deployed, and holds what it says against what is there."""

from __future__ import annotations

import json
import os
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar

from rich.markup import escape
from rich.table import Table

from local import REPOSITORY
from local.agreement import of_index, of_report, of_tables
from local.bundle.bundle import resolve
from local.bundle.sources import Sources
from local.screen import Screen
from local.workspace import Workspace
from pipelines.errors import DeploymentError, SettingsError
from pipelines.report import SyncReport
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.agreement import Check
    from local.job_run import DeployedJob, JobRun
    from pipelines.settings import Settings

_SEEN_POLLS: Final = 12  # the index's statistics follow its writes, for as long as so many polls take

Value = TypeVar("Value")


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
        SettingsError: no such target, no credentials, an interval that is none.
        DeploymentError: the job is not there, it failed or took too long, or what it says is not what is there.
    """
    sources = Sources.read(REPOSITORY)
    if target not in sources.targets:
        raise SettingsError(f"--target is {target}; allowed is {', '.join(sources.targets)}")
    if poll_s <= 0:
        raise SettingsError(f"--poll-s is {poll_s:g}; allowed is more than 0")
    screen, workspace = Screen(), Workspace(profile, poll_s)
    name = resolve(sources, target, {}, workspace.user()).resources("jobs")["sync"].text("name")
    job = workspace.job(name, f"deploy first: databricks bundle deploy -t {target}")
    settings = _settings(job)
    warehouse_id = workspace.warehouse_id(warehouse_id)  # what is missing is missed before the job runs
    run = _followed(screen, workspace.follow(workspace.start(job), timeout_s))
    _require_success(workspace, run)
    report = _parsed(workspace, run, "write_to_pinecone", SyncReport.from_json)
    dimension = _parsed(workspace, run, "prepare", lambda text: int(json.loads(text)["dimension"]))
    checks = [
        *of_report(report, dimension, settings),
        *of_tables(report, settings, partial(workspace.first_row, warehouse_id)),
    ]
    if api_key := os.environ.get("PINECONE_API_KEY"):
        checks += of_index(report, settings, api_key, limit_s=_SEEN_POLLS * poll_s)
    _summarise(screen, f"{job.name}, run {report.run_id}", checks)
    screen.advise(report.advice)
    if not api_key:
        screen.console.print("The index itself was not asked: set PINECONE_API_KEY for that.")
    if wrong := [f"{it.what}: expected {it.expected}, found {it.found}: {it.advice}" for it in checks if not it.holds]:
        raise DeploymentError(f"{'; '.join(wrong)}; run {run.page}")


def _settings(job: DeployedJob) -> Settings:
    try:
        return load_settings(job.parameters)
    except SettingsError as error:
        raise DeploymentError(f"job {job.name} is not of this checkout, {error}: deploy again") from error


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


def _summarise(screen: Screen, title: str, checks: list[Check]) -> None:
    table = Table(title=escape(title), title_justify="left", box=None, padding=(0, 2))
    for name in ("check", "expected", "found", ""):
        table.add_column(name, no_wrap=name in ("check", ""), overflow="fold")  # long values take a second line
    for check in checks:
        mark = "[green]✓[/]" if check.holds else "[red]✗[/]"
        table.add_row(*(escape(text) for text in (check.what, check.expected, check.found)), mark)
    screen.console.print()
    screen.console.print(table)
