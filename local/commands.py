"""What each command does."""

from __future__ import annotations

import json
import os
import signal
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from rich.markup import escape

from local.figures import Figures, figures
from local.loader import Mirrored, mirror
from local.options import ONCE, REMEMBERED, Source, parameters
from local.screen import Screen
from local.serving import index_key, index_url, serve
from local.session import spark_session
from pipelines.errors import SettingsError
from pipelines.lease import break_leases
from pipelines.settings import load_settings
from pipelines.tables import EMBEDDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from local.home import Home
    from local.job import Job
    from pipelines.report import SyncReport


@dataclass(frozen=True, slots=True)
class Context:
    """What every command is given.

    Raises:
        SettingsError: the real service without a key.
    """

    home: Home
    chosen: Mapping[str, str]  # settings from flags
    pinecone: bool  # the real service

    def __post_init__(self) -> None:
        if self.pinecone and not os.environ.get("PINECONE_API_KEY"):
            raise SettingsError("--pinecone needs a key: set the environment variable PINECONE_API_KEY")

    def index_url(self) -> AbstractContextManager[str | None]:
        """Give the address of the index to talk to; None for the real service."""
        return nullcontext() if self.pinecone else index_url(self.home)

    def command(self, *words: str) -> str:
        """Return what a person types to run another command with the same home and settings."""
        kept = [f"--set={name}={text}" for name, text in self.chosen.items() if name not in (*REMEMBERED, *ONCE)]
        return self.home.command(*words, *(["--pinecone"] if self.pinecone else []), *kept)


@contextmanager
def opened(context: Context, source: Source, screen: Screen, *, writes: bool = True) -> Iterator[Job]:
    """Hold the home, start Spark and find the index.

    Raises:
        SettingsError: the home is in use, or a setting is wrong.
    """
    with ExitStack() as stack:
        stack.enter_context(context.home.lock())
        url = stack.enter_context(context.index_url())
        chosen = parameters(source, context.chosen, url)
        load_settings(chosen)  # wrong settings are found before Spark starts
        stack.enter_context(screen.watch())
        with screen.stage("spark", "Spark and Delta start"):
            spark = stack.enter_context(spark_session(context.home))
            if writes:
                break_leases(spark, load_settings(chosen))  # the home's lock says that nobody else can write
            from local.job import Job  # noqa: PLC0415  # what it imports takes seconds: the JVM starts meanwhile
        yield Job(spark, chosen, context.home.checkpoints, index_key())


def run(context: Context, path: str | None, full_refresh: Sequence[str] | None, json_file: Path | None) -> None:
    """`run`: source to index, once.

    Raises:
        SettingsError: the folder of `json_file` is not there; found before minutes of work.
    """
    if json_file is not None and not json_file.parent.is_dir():
        raise SettingsError(f"--json {json_file}: there is no folder {json_file.parent}, make it first")
    source = Source.of(context.home, path, context.chosen)
    screen = Screen()
    with opened(context, source, screen) as job:
        done = run_once(job, source, screen, full_refresh, context.home)
    screen.summary(done)
    if json_file is not None:
        json_file.write_text(json.dumps(done.as_dict(), indent=2) + "\n", encoding="utf-8")
    screen.console.print(f"\nNext: [bold]{escape(context.command('search', 'your question'))}")


def run_once(
    job: Job, source: Source, screen: Screen, full_refresh: Sequence[str] | None = None, home: Home | None = None
) -> Figures:
    """Mirror the source, note it in the home for runs that name none, then run the job's three tasks."""
    if home is not None and not home.source_file.exists():
        source.remember(home)  # else a run after one that failed here would take another source
    with screen.stage("source", f"Source: {source}"):
        mirrored = mirror(job.spark, source.path, load_settings(job.parameters))
        screen.note(
            f"{mirrored.n_inserted:,} new, {mirrored.n_updated:,} changed, {mirrored.n_deleted:,} removed, "
            f"{mirrored.n_unchanged:,} as they were"
        )
    if home is not None:
        source.remember(home)  # at once: a run that fails from here on is continued with the same source
    return run_tasks(job, screen, full_refresh, mirrored)


def run_tasks(
    job: Job, screen: Screen, full_refresh: Sequence[str] | None = None, mirrored: Mirrored | None = None
) -> Figures:
    """Run the job's three tasks on the source table as it stands."""
    with screen.stage("prepare", "Prepare: state tables, index"):
        n_checks = job.prepare()
        settings = load_settings(job.parameters)
        screen.note(f"index {settings.index_name} at {settings.pinecone_host or 'Pinecone'}")
    with screen.stage("pipeline", "Pipeline update"):
        nothing_new = mirrored is not None and not mirrored.n_changed and full_refresh is None
        updated = job.update(screen, full_refresh, in_haste=nothing_new)
    with screen.stage("sync", "Write to the index"):
        report = job.sync(screen.note)
    return figures(mirrored or Mirrored(0, 0, 0, 0), updated, report, n_checks, screen.seconds)


def sync(context: Context) -> None:
    """`sync`: write to the index what the tables say, without an update of the pipeline."""
    screen = Screen()
    with opened(context, Source.of(context.home, None, {}), screen) as job:
        require_tables(context, job)
        with screen.stage("prepare", "Prepare: state tables, index"):
            job.prepare()
        with screen.stage("sync", "Write to the index"):
            report = job.sync(screen.note)
    _print_report(screen, report, f"This sync did, in {report.n_requests:,} requests")


def reconcile(context: Context) -> None:
    """`reconcile`: what the index really holds, against what it should; mends it with the setting `repair`.

    Raises:
        IndexDiffers: it does not hold what it should, and was not mended.
    """
    screen = Screen()
    with opened(context, Source.of(context.home, None, {}), screen) as job:
        require_tables(context, job)
        with screen.stage("prepare", "Prepare: state tables, index"):
            job.prepare()
        lines: list[str] = []
        try:
            with screen.stage("reconcile", "Compare the index, record by record"):
                job.reconcile(lines.append)
        finally:
            for line in lines:
                screen.console.print(escape(line))


def forget(context: Context) -> None:
    """`forget`: take one document out of the index and keep it out; with `allow_back`, let it in again."""
    if not {"forget", "allow_back"} & context.chosen.keys():
        raise SettingsError("the document's id is empty: give it as the source has it")
    screen = Screen()
    with opened(context, Source.of(context.home, None, {}), screen) as job:
        require_tables(context, job)
        with screen.stage("forget", "Forget"):
            job.prepare(screen.note)


def plan(context: Context) -> None:
    """`plan`: say what `sync` would do, and write nothing."""
    screen = Screen()
    with opened(context, Source.of(context.home, None, {}), screen, writes=False) as job:
        require_tables(context, job)
        with screen.stage("sync", "Plan"):
            report = job.sync(screen.note, dry_run=True)
    _print_report(screen, report, "A sync would do")
    screen.console.print(
        f"in {report.n_planned_requests:,} requests, {report.n_bytes:,} bytes, some {report.n_write_units:,} write "
        f"units ({report.form}: {report.reason}).\nFiles are read by `run`: this knows what the last one read."
    )
    for source_id, n_records, n_bytes in report.largest:
        screen.console.print(f"  {escape(source_id)}: {n_records:,} records, {n_bytes:,} bytes of text and metadata")


def serve_index(home: Home, port: int) -> None:
    """`serve`: the index server alone, until it is told to stop."""
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with serve(home, port) as server:
        print(f"index server of {home.root} at {server.url}; its key is PINECONE_API_KEY, `local` if unset", flush=True)
        stopped.wait()


def require_tables(context: Context, job: Job) -> None:
    """See that a run has made the pipeline's tables.

    Raises:
        SettingsError: there is none yet.
    """
    if not job.spark.catalog.tableExists(load_settings(job.parameters).table(EMBEDDINGS.name)):
        raise SettingsError(f"this home has no table embeddings yet: run `{context.command('run')}` first")


def _print_report(screen: Screen, report: SyncReport, did: str) -> None:
    screen.console.print(
        f"{did}: {report.n_upserted:,} upserts, {report.n_deleted:,} deletes, {report.n_unchanged:,} unchanged; "
        f"{report.n_changed:,} documents changed, {report.n_documents:,} are live, {report.n_pending:,} pending"
    )
    screen.advise(report.advice)
