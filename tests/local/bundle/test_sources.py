"""The bundle's files, found and put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.sources import Sources
from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, **files: str) -> Sources:
    for name, text in files.items():
        (root / f"{name}.yml").write_text(text, encoding="utf-8")
    return Sources.read(root)


def test_included_files_are_read_in_order_and_once(tmp_path: Path) -> None:
    sources = write(tmp_path, databricks="include: ['b*.yml', '*.yml']\n", a="", b1="", b2="")
    assert list(sources.files) == ["databricks.yml", "b1.yml", "b2.yml", "a.yml"]


def test_a_target_lies_on_top_of_all_files(tmp_path: Path) -> None:
    sources = write(
        tmp_path,
        databricks="""
include: [a.yml]
variables: {x: {default: 1}, y: {default: 2}}
targets:
  dev:
    default: true
    mode: development
    variables: {x: 3}
    resources: {jobs: {one: {tasks: [{task_key: t, timeout: 5}]}}}
""",
        a="resources: {jobs: {one: {name: n, tasks: [{task_key: t, retries: 1}]}}}\ntargets: {prod: {}}\n",
    )
    assert list(sources.targets) == ["dev", "prod"]
    merged = sources.of_target("dev").plain()
    assert merged["mode"] == "development"
    assert merged["variables"] == {"x": {"default": 3}, "y": {"default": 2}}
    job = {"name": "n", "tasks": [{"task_key": "t", "retries": 1, "timeout": 5}]}
    assert merged["resources"] == {"jobs": {"one": job}}


def test_what_does_not_read_is_told_with_its_file(tmp_path: Path) -> None:
    sources = write(tmp_path, databricks="include: [a.yml]\nx: 1\nx: 2\n", a="b: [\n")
    assert [(finding.file, finding.line) for finding in sources.unreadable] == [("databricks.yml", 3), ("a.yml", 2)]


def test_a_pattern_that_leads_out_of_the_folder_or_nowhere_includes_nothing(tmp_path: Path) -> None:
    sources = write(tmp_path, databricks=f"include: ['', '{tmp_path}/*.yml', 'none/**']\n", a="")
    assert list(sources.files) == ["databricks.yml"]


def test_a_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no databricks\.yml"):
        Sources.read(tmp_path)
