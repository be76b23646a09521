"""Two workers give the index that one machine gives."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.long
def test_two_workers_give_the_same_index_as_one_machine(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.cluster", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=900)  # noqa: S603  # ours
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "116 records, as on one machine"
