"""A deployment that works, in a workspace on loopback, and the command that says so."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.cli import main
from pipelines.report import SyncReport
from tests.local.workspace import Workspace, serving

if TYPE_CHECKING:
    import pytest

TOKEN, KEY = "dapi-of-the-tests", "pinecone-key-of-the-tests"
JOB = "[dev ada_lovelace] streaming_embeddings_sync"
PARAMETERS = {
    "source_table": "main.docs.articles",
    "catalog": "main",
    "schema": "dev_ada_lovelace",
    "index_name": "docs",
    "namespace": "dev-ada_lovelace",
    "dry_run": "false",
    "version_column": "-",
}
REPORT = SyncReport(
    "r1", "docs", "dev-ada_lovelace", datetime.now(UTC), 0, dimension=3, n_documents=2, n_records=3, outcome="succeeded"
)
STATE, RUNS = ((f"main.dev_ada_lovelace.{table}", "docs", "dev-ada_lovelace") for table in ("index_state", "sync_runs"))


def with_report(**fields: Any) -> str:
    return json.dumps(json.loads(REPORT.as_json()) | fields)


def deployed() -> Workspace:
    """Give a workspace in which everything is as it should be."""
    return Workspace(
        TOKEN,
        jobs={5: JOB},
        parameters=dict(PARAMETERS),
        exits={
            "prepare": '{"dimension": 3, "n_records": 3, "n_checks": 2}',
            "write_to_pinecone": REPORT.as_json(),
        },
        held={STATE: [["2", "3"]], RUNS: [["r1"]]},
    )


@dataclass
class Smoke:
    """Runs the command."""

    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, workspace: Workspace | str, *flags: str) -> tuple[int, str, str]:
        """Return status, stdout and stderr of one run."""
        with ExitStack() as stack:
            url = workspace if isinstance(workspace, str) else stack.enter_context(serving(workspace))
            self.monkeypatch.setenv("DATABRICKS_HOST", url)
            status = main(["smoke", "--poll-s", "0.001", *flags])
        out, err = self.capsys.readouterr()
        assert TOKEN not in out + err
        assert KEY not in out + err
        return status, out, err

    def refused(self, workspace: Workspace | str, *flags: str) -> str:
        """Return the one line of a run that must fail."""
        status, _, err = self(workspace, *flags)
        assert status == 1
        lines = err.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("error: ")
        return lines[0].removeprefix("error: ")
