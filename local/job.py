"""The job, on this machine: prepare, one update of the pipeline, one sync, each by its notebook."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO, cast

from local.notebook import run_notebook
from local.update import Update, update
from pipelines.report import SyncReport
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pyspark.sql import SparkSession

    from local.update import Progress


@dataclass(frozen=True, slots=True)
class Job:
    """What the three tasks share."""

    spark: SparkSession
    parameters: Mapping[str, str]  # settings by name: the job's parameters and the pipeline's configuration
    storage: Path  # the flows' checkpoints
    api_key: str

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"Job({dict(self.parameters)})"

    def prepare(self, on_line: Callable[[str], None] = lambda _line: None) -> int:
        """Run the task `prepare`, which forgets a document if told to; return how many requests checked the index."""
        return int(json.loads(self._notebook("prepare", on_line))["n_checks"])

    def update(
        self, progress: Progress, full_refresh: Sequence[str] | None = None, *, in_haste: bool = False
    ) -> Update:
        """Run the task `pipeline`.

        Args:
            progress: told of states and rows.
            full_refresh: tables to empty and fill again; an empty list means all, None means none.
            in_haste: take a core to look all the time whether a flow has ended; not while the model needs it.
        """
        return update(self.spark, self.parameters, self.storage, progress, full_refresh, in_haste=in_haste)

    def sync(self, on_progress: Callable[[str], None], *, dry_run: bool = False) -> SyncReport:
        """Run the task `write_to_pinecone`, or only its plan."""
        more = {"dry_run": "true"} if dry_run else {}
        return SyncReport.from_json(self._notebook("write_to_pinecone", on_progress, more))

    def reconcile(self, on_line: Callable[[str], None]) -> None:
        """Run the notebook `reconcile`."""
        self._notebook("reconcile", on_line)

    def _notebook(self, name: str, on_line: Callable[[str], None], more: Mapping[str, str] | None = None) -> str:
        parameters = {**self.parameters, **(more or {})}
        secrets = {load_settings(parameters).secret_key: self.api_key}
        with redirect_stdout(cast("TextIO", _Lines(on_line))):
            result = run_notebook(name, self.spark, parameters, secrets)
        assert result is not None, name  # noqa: S101  # both notebooks end with an exit
        return result


class _Lines:
    """A stream that hands on what a notebook prints, line by line."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line

    def write(self, text: str) -> int:
        """Hand on the text's lines."""
        for line in text.splitlines():
            if line.strip():
                self._on_line(line)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""
