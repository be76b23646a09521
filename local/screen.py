"""What a person sees: what is going on while it goes on, and one screen at the end."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.update import PIPELINE_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import TaskID

    from local.figures import Figures

_ENDED = ("failed", "skipped", "excluded", "stopped")  # otherwise than completed


class Screen:
    """Progress of one command: a line a stage, a line a flow, with rows and seconds."""

    def __init__(self) -> None:
        self.console = Console(stderr=False, highlight=False, soft_wrap=not sys.stdout.isatty())
        self.seconds: dict[str, float] = {}  # per stage
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=self.console,
        )
        self._flows: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}
        self._stage: TaskID | None = None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Show progress while the block runs."""
        with self._progress:
            yield

    @contextmanager
    def stage(self, name: str, description: str) -> Iterator[None]:
        """Show a stage while the block runs, and note how long it took."""
        started = monotonic()
        self._stage = self._progress.add_task(description, total=1, note="")
        self._flows = {}  # a second update gets lines of its own
        yield
        self._progress.update(self._stage, completed=1)
        self.seconds[name] = round(monotonic() - started, 2)

    def note(self, line: str) -> None:
        """Show a line beside the current stage."""
        if self._stage is not None:
            self._progress.update(self._stage, note=line)

    def state(self, table: str, state: str) -> None:
        """Show what the flow into a table is doing."""
        if table not in self._flows:
            # All at the first word of any, in the order the data takes.
            self._flows = {
                name: self._progress.add_task(f"  {name}", total=1, start=False, note="waits")
                for name in PIPELINE_TABLES
            }
        task = self._flows[table]
        if state == "running":
            self._started[table] = monotonic()
            self._progress.start_task(task)
            self._progress.update(task, note="runs")
        elif state == "completed":
            self._progress.update(task, completed=1)
        elif state in _ENDED:
            self._progress.update(task, completed=1, note=f"[red]{state}")

    def rows(self, table: str, n_rows: int) -> None:
        """Show how many rows a flow has taken in, and how many a second."""
        took = monotonic() - self._started.get(table, monotonic())
        speed = f", {n_rows / took:,.0f} a second" if n_rows and took else ""
        what = "sentences" if table in ("sentences", "embeddings") else "rows"
        self._progress.update(self._flows[table], note=f"{n_rows:,} {what}{speed}")

    def summary(self, figures: Figures) -> None:
        """Print the screen that ends a run."""
        self.console.print(_tables(figures))
        self.console.print(_counts(figures))
        self.console.print(_seconds(figures))
        for line in figures.advice:
            self.console.print(f"[yellow]! {line}")


def _tables(figures: Figures) -> Table:
    table = Table(title="This run, table by table", title_justify="left", box=None, padding=(0, 2))
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("of these")
    about = {
        "raw": f"{figures.n_kept:,} kept, {figures.n_withdrawn:,} withdrew, {figures.n_quarantined:,} quarantined",
        "documents_quarantine": ", ".join(f"{n:,} {rule}" for rule, n in figures.n_refused.items() if n),
        "embeddings": f"{figures.n_embedded:,} went through the model",
    }
    for name, n_rows in figures.n_rows.items():
        table.add_row(name, f"{n_rows:,}", about.get(name, ""))
    return table


def _counts(figures: Figures) -> Table:
    table = Table(title="Index", title_justify="left", box=None, padding=(0, 2), show_header=False)
    table.add_row(
        "records", f"{figures.n_records:,}", f"{figures.n_documents:,} documents, {figures.n_pending:,} pending"
    )
    moved = f"{figures.n_upserted:,} upserts, {figures.n_deleted:,} deletes, {figures.n_unchanged:,} unchanged"
    table.add_row("this run", moved, f"{figures.n_requests:,} requests, {figures.n_checks:,} checks")
    return table


def _seconds(figures: Figures) -> Table:
    table = Table(title="Seconds", title_justify="left", box=None, padding=(0, 2))
    stages = {name: took for name, took in figures.seconds.items() if "." not in name}
    for name in (*stages, "all"):
        table.add_column(name, justify="right")
    table.add_row(*(f"{took:.1f}" for took in (*stages.values(), sum(stages.values()))))
    return table
