"""What checks are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.node import Node
from local.bundle.project import Project, beside
from local.bundle.sources import Sources
from tests.local.bundle.seed import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_every_target_is_resolved_with_nothing_left_open() -> None:
    project = Project.of(Sources.read(ROOT))
    assert [bundle.target for bundle in project.bundles] == ["dev", "staging", "prod"]
    assert not any(bundle.dangling for bundle in project.bundles)
    assert project.bundles[0].parameters("sync")["text_column"] == "text_column"


def test_every_notebook_is_run_by_a_job_or_the_pipeline_and_known_by_what_it_reads() -> None:
    there = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").glob("*.py"))
    assert list(Project.of(Sources.read(ROOT)).reads) == there


def test_tasks_come_with_words_and_nested_ones_too(tmp_path: Path) -> None:
    (tmp_path / "databricks.yml").write_text(
        "targets: {dev: {}}\n"
        "resources: {jobs: {j: {tasks: [{task_key: a, for_each_task: {task: {task_key: b}}}, {task_key: c}]}}}\n",
        encoding="utf-8",
    )
    project = Project.of(Sources.read(tmp_path))
    assert [name for name, _, _ in project.tasks()] == ["job j, task a", "job j, task b", "job j, task c"]


@pytest.mark.parametrize(
    ("path", "found"),
    [("a.py", "resources/a.py"), ("../notebooks/a.py", "notebooks/a.py"), ("./b/../a.py", "resources/a.py")],
)
def test_paths_start_from_the_file_they_stand_in(path: str, found: str) -> None:
    assert beside(Node(path, "resources/sync.job.yml", 1)) == found
