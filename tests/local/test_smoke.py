"""What `smoke` checks: what the sync says against the tables, and against the index server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from local.index_server import IndexServer
from pipelines.index import VectorIndex
from pipelines.record import Record
from pipelines.settings import load_settings
from tests.local.deployment import KEY, PARAMETERS, RUNS, STATE, Smoke, deployed, with_report
from tests.local.workspace import RUN_PAGE, TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("workspace")  # the SDK takes seconds to import: in one process alone


def test_a_deployment_that_works_is_run_once_followed_and_checked(smoke: Smoke) -> None:
    workspace = deployed()
    status, out, err = smoke(workspace)
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines() if line.strip()]
    assert lines[0] == ["Run:", RUN_PAGE]
    for task in TASKS:
        assert [line for line in lines if line[:2] == ["✓", task]], out
    states = [line[-1] for line in lines if "prepare" in line[:2]]
    assert states == ["pending", "running", "success"]
    assert ["documents", "in", "index_state", "2", "2", "✓"] in lines
    assert ["records", "in", "index_state", "3", "3", "✓"] in lines
    assert ["last", "run", "in", "sync_runs", "r1", "r1", "✓"] in lines
    assert "set PINECONE_API_KEY" in out
    assert workspace.counts["/api/2.2/jobs/run-now"] == 1
    assert workspace.asked["/api/2.2/jobs/run-now"]["idempotency_token"]  # sent again, it starts no second run


@pytest.mark.parametrize("text", ["", "[]", '{"dimension": "large"}'])
@pytest.mark.parametrize("task", ["prepare", "write_to_pinecone"])
def test_an_exit_value_that_is_no_report_is_quoted(smoke: Smoke, task: str, text: str) -> None:
    workspace = deployed()
    workspace.exits[task] = text
    assert smoke.refused(workspace).startswith(f"task {task} ended with {text!r} where its report is expected")


def test_a_job_without_one_of_our_tasks_is_an_old_one(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.tasks = ("prepare", "pipeline")
    assert smoke.refused(workspace).startswith("the job has no task write_to_pinecone: deploy it again")


@pytest.mark.parametrize(
    ("fields", "held", "said"),
    [
        ({}, {STATE: [["1", "3"]]}, "documents in index_state: expected 2, found 1"),
        ({}, {STATE: [["2", "4000"]]}, "records in index_state: expected 3, found 4,000"),
        ({}, {STATE: [["0", "0"]]}, "documents in index_state: expected 2, found 0"),
        ({}, {RUNS: [["r0"]]}, "last run in sync_runs: expected r1, found r0"),
        ({}, {RUNS: [[None]]}, "last run in sync_runs: expected r1, found none"),
        ({"dimension": 4}, {}, "dimension: expected 3, found 4"),
        ({"namespace": "prod"}, {}, "index and namespace: expected docs/dev-ada_lovelace, found docs/prod"),
        (
            {"outcome": "refused", "error": "too many"},
            {},
            "outcome of the sync: expected succeeded or partial, found r",
        ),
        ({"n_pending": 1}, {STATE: [["4", "3"]]}, "expected 2, 1 of them pending, found 4"),
    ],
)
def test_what_disagrees_is_named_with_both_figures(
    smoke: Smoke, fields: dict[str, Any], held: dict[tuple[str, str, str], list[list[str]]], said: str
) -> None:
    workspace = deployed()
    workspace.exits["write_to_pinecone"] = with_report(**fields)
    workspace.held |= held
    line = smoke.refused(workspace)
    assert said in line
    assert line.endswith(f"; run {RUN_PAGE}")


def test_documents_held_back_may_be_among_those_held_or_not(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.exits["write_to_pinecone"] = with_report(n_pending=1, outcome="partial", advice=["2 refused"])
    workspace.held[STATE] = [["1", "3"]]
    status, out, _ = smoke(workspace)
    assert status == 0
    assert "! 2 refused" in out


@pytest.fixture
def index(smoke: Smoke, tmp_path: Path) -> Iterator[IndexServer]:
    """The index of the job's parameters, with three records in its namespace."""
    with IndexServer(tmp_path / "index", api_key=KEY) as server:
        smoke.monkeypatch.setenv("STREAMING_EMBEDDINGS_PINECONE_HOST", server.url)
        smoke.monkeypatch.setenv("PINECONE_API_KEY", KEY)
        with VectorIndex(load_settings(PARAMETERS), KEY) as writer:
            writer.ensure(3)
            writer.upsert([Record(f"d#{number}", np.ones(3, np.float32), "{}") for number in range(3)])
        yield server


def test_with_a_key_the_index_itself_is_asked(smoke: Smoke, index: IndexServer) -> None:
    before = index.request_counts().get("describe_index_stats", 0)
    status, out, err = smoke(deployed())
    assert (status, err) == (0, "")
    assert ["records", "in", "the", "index", "3", "3", "✓"] in [line.split() for line in out.splitlines()]
    assert "PINECONE_API_KEY" not in out
    assert index.request_counts()["describe_index_stats"] > before


def test_an_index_that_holds_another_number_is_said(smoke: Smoke, index: IndexServer) -> None:
    workspace = deployed()
    workspace.exits["write_to_pinecone"] = with_report(n_records=2)
    workspace.held[STATE] = [["2", "2"]]
    assert smoke.refused(workspace).startswith("records in the index: expected 2, found 3: ")
    assert index.request_counts()["describe_index_stats"]


def test_a_key_that_the_index_does_not_take_is_one_line(smoke: Smoke, index: IndexServer) -> None:
    smoke.monkeypatch.setenv("PINECONE_API_KEY", "another")
    assert "check the Pinecone key" in smoke.refused(deployed())
    assert index.url
