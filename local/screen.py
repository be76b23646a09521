"""What a person sees: what is going on while it goes on, and one screen at the end."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipelines.tables import PIPELINE_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType
    from rich.progress import TaskID

    from local.figures import Figures

_RUNS, _NOTHING = "runs", "nothing new"
_MARKS = {"waits": " ", "completed": "[green]✓[/]"}  # of a step that does not run; any other has gone wrong


class Screen:
    """Progress of one command: a line a stage, a line a flow, with rows and seconds.

    On a terminal the lines are alive; elsewhere, in a log, each is printed once, when its stage has ended.
    """

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.console.soft_wrap = not self.console.is_terminal
        self.seconds: dict[str, float] = {}  # per stage
        self._progress = Progress(
            _Mark(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._flows: dict[str, TaskID] = {}
        self._stage: TaskID | None = None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Show progress while the block runs."""
        with self._progress:
            yield

    @contextmanager
    def stage(self, name: str, description: str) -> Iterator[None]:
        """Show a stage while the block runs, and note how long it took."""
        self._stage = self._progress.add_task(escape(description), total=1, state="running", note="")
        self._flows = {}  # a second update gets lines of its own
        started, state = monotonic(), "failed"
        try:
            yield
            state = "completed"
        finally:
            self._progress.update(self._stage, completed=1, state=state)
            self.seconds[name] = round(monotonic() - started, 2)
            if not self.console.is_terminal:
                self._print([self._stage, *self._flows.values()])

    def note(self, line: str) -> None:
        """Show a line beside the current stage."""
        if self._stage is not None:
            self._progress.update(self._stage, note=escape(line))

    def state(self, table: str, state: str) -> None:
        """Show what the flow into a table is doing."""
        if table not in self._flows:
            # All at the first word of any, in the order the data takes.
            self._flows = {
                name: self._progress.add_task(f"  {name}", total=1, start=False, state="waits", note="waits")
                for name in PIPELINE_TABLES
            }
        flow = self._flows[table]
        if state == "running":
            self._progress.start_task(flow)
            self._progress.update(flow, state=state, note=_RUNS)
        elif state == "completed":
            note = self._progress.tasks[flow].fields["note"]
            # Rows may have been reported, and may still be.
            self._progress.update(flow, completed=1, state=state, note=_NOTHING if note == _RUNS else note)
        elif state in ("failed", "skipped", "excluded", "stopped"):
            self._progress.update(flow, completed=1, state=state, note=state)

    def rows(self, table: str, n_rows: int) -> None:
        """Show how many rows a flow has taken in, and how many a second."""
        flow = self._progress.tasks[self._flows[table]]
        took = flow.finished_time or flow.elapsed
        speed = f", {n_rows / took:,.0f} a second" if took else ""
        self._progress.update(flow.id, note=f"{n_rows:,} rows{speed}" if n_rows else _NOTHING)

    def summary(self, figures: Figures) -> None:
        """Print the screen that ends a run."""
        self.console.print()
        self.console.print(_tables(figures))
        self.console.print(_counts(figures))
        self.console.print(_seconds(figures))
        self.advise(figures.advice)

    def advise(self, lines: Iterable[str]) -> None:
        """Print what a person should know or do."""
        for line in lines:
            self.console.print(f"[yellow]! {escape(line)}")

    def _print(self, steps: list[TaskID]) -> None:
        for step in (self._progress.tasks[number] for number in steps):
            took = f"{step.finished_time or 0:.1f} s"
            self.console.print(f"{_mark(step)} {step.description:<32}{took:>8}  {step.fields['note']}".rstrip())


class _Mark(ProgressColumn):
    """A spinner while a step runs; blank before, a tick or a cross after."""

    def __init__(self) -> None:
        super().__init__()
        self._spinner = SpinnerColumn()

    def render(self, task: Task) -> RenderableType:
        """Show the state of one step."""
        return self._spinner.render(task) if task.fields["state"] == "running" else _mark(task)


def _mark(step: Task) -> str:
    return _MARKS.get(step.fields["state"], "[red]✗[/]")


def _tables(figures: Figures) -> Table:
    table = Table(title="This run, table by table", title_justify="left", box=None, padding=(0, 2))
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("of these")
    about = {
        "raw": f"{figures.n_kept:,} kept, {figures.n_withdrawn:,} withdrew, {figures.n_quarantined:,} quarantined",
        "documents_quarantine": ", ".join(f"{n:,} {rule}" for rule, n in figures.n_refused.items() if n),
        "embeddings": f"{figures.n_embedded:,} by the model, {figures.n_served:,} known",
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
