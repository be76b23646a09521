"""Every check together, on our own bundle and by the command."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.bundle.check import CHECKS, check
from local.bundle.sources import Sources
from local.cli import main
from tests.local.bundle.seed import ROOT, TOP

if TYPE_CHECKING:
    from tests.local.bundle.seed import Seed

# The command line asks a workspace who you are, even to validate.
COMMAND = shutil.which("databricks")
WORKSPACE = os.environ.get("DATABRICKS_HOST") or (Path.home() / ".databrickscfg").exists()


def test_ours_is_clean() -> None:
    assert not [str(finding) for finding in check(Sources.read(ROOT))]


def test_every_check_is_proven_by_a_seeded_mistake() -> None:
    files = sorted(Path(__file__).parent.glob("checks/test_*.py"))
    modules = [importlib.import_module(f"tests.local.bundle.checks.{path.stem}") for path in files]
    seeds: list[Seed] = [seed for module in modules for seed in module.SEEDS]
    assert {seed.finds for seed in seeds} == set(CHECKS)


def test_every_check_says_what_it_finds() -> None:
    assert all(one.__doc__ for one in CHECKS)


def test_files_that_do_not_read_are_all_that_is_found(copy: Path) -> None:
    (copy / TOP).write_text("a: 1\na: 2\n", encoding="utf-8")
    assert [finding.line for finding in check(Sources.read(copy))] == [2]


def test_the_command_says_that_ours_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-bundle"]) == 0
    n_files = len(Sources.read(ROOT).files)
    assert capsys.readouterr().out == f"no findings in {n_files} files for targets dev, staging, prod\n"


def test_the_command_prints_findings_and_fails(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "requirements.txt").unlink()
    assert main(["check-bundle", str(copy)]) == 1
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert len(lines) == 2
    assert all("installs requirements.txt, which is not there: " in line for line in lines)
    assert said.err.startswith("error: 2 findings in ")


@pytest.mark.skipif(not (COMMAND and WORKSPACE), reason="needs the Databricks command line and a workspace")
@pytest.mark.parametrize("target", ["dev", "staging", "prod"])
def test_the_databricks_command_line_finds_nothing_either(target: str) -> None:
    arguments = [str(COMMAND), "bundle", "validate", "--strict", "-t", target]
    given = [f"--var={name}={name}" for name in ("catalog", "source_table", "id_column", "text_column")]
    done = subprocess.run([*arguments, *given], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
