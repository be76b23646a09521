"""The job's three tasks by their notebooks, here with notebooks that say what they were given."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from local import notebook
from local.job import Job
from pipelines.report import SyncReport

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HEADER = "# Databricks notebook source\n"
REPORT = SyncReport("run", "local", "__default__", datetime(2026, 1, 1, tzinfo=UTC), 0, n_upserted=3)


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder whose notebooks are run in place of the bundle's."""
    monkeypatch.setattr(notebook, "NOTEBOOKS", tmp_path)
    return tmp_path


@pytest.fixture
def job() -> Job:
    no_spark = cast("SparkSession", None)  # none of these notebooks asks for it
    return Job(no_spark, {"source_table": "s.articles", "secret_key": "the_key"}, Path("checkpoints"), "hush")


def test_the_key_is_not_in_the_jobs_text(job: Job) -> None:
    assert "s.articles" in repr(job)
    assert "hush" not in repr(job)


def test_prepare_hands_back_how_many_requests_it_made(notebooks: Path, job: Job) -> None:
    (notebooks / "prepare.py").write_text(f"""{HEADER}
import json
assert dbutils.widgets.getAll() == {{"source_table": "s.articles", "secret_key": "the_key"}}
dbutils.notebook.exit(json.dumps({{"n_checks": len(dbutils.secrets.get("scope", "the_key"))}}))
""")
    assert job.prepare() == len("hush")


@pytest.mark.parametrize(("dry_run", "said"), [(False, None), (True, "true")])
def test_a_sync_hands_back_its_report_and_is_told_when_it_only_plans(
    notebooks: Path, job: Job, dry_run: bool, said: str | None
) -> None:
    (notebooks / "write_to_pinecone.py").write_text(f"""{HEADER}
assert dbutils.widgets.getAll().get("dry_run") == {said!r}
dbutils.notebook.exit({REPORT.as_json()!r})
""")
    assert job.sync(lambda _line: None, dry_run=dry_run) == REPORT


def test_what_a_notebook_prints_goes_to_the_progress_line_by_line(
    notebooks: Path, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    (notebooks / "write_to_pinecone.py").write_text(f"""{HEADER}
print("planned")
print("40 of 100 records\\n\\n100 of 100 records")
dbutils.notebook.exit({REPORT.as_json()!r})
""")
    lines: list[str] = []
    job.sync(lines.append)
    assert lines == ["planned", "40 of 100 records", "100 of 100 records"]
    assert capsys.readouterr().out == ""
    print("after")  # noqa: T201  # standard output is back
    assert capsys.readouterr().out == "after\n"


def test_a_report_survives_the_way_through_a_notebook_whole(job: Job, notebooks: Path) -> None:
    full = SyncReport.from_json(REPORT.as_json())
    full.ended_at, full.advice, full.seconds = REPORT.started_at, ["look"], {"plan": 0.5}
    source = f"{HEADER}dbutils.notebook.exit({json.dumps(full.as_json())})\n"
    (notebooks / "write_to_pinecone.py").write_text(source)
    assert job.sync(lambda _line: None) == full
