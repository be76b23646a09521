"""A copy of the bundle that a test may spoil."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from local.bundle.overrides import overrides_file
from tests.local.bundle.seed import ROOT, VALUES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Everything that the bundle's files name: what is edited as a copy, code as a link, the rest as a stand-in."""
    for name in ("databricks.yml", "requirements.txt", "requirements-job.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("resources", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    given = tmp_path / overrides_file("dev")
    given.parent.mkdir(parents=True)
    given.write_text(f"{VALUES}\n")
    (tmp_path / "pipelines").symlink_to(ROOT / "pipelines")
    for name in ("local", "tests", "benchmarks", "docs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    return tmp_path
