"""The official client of a year ago, from an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.local.index_server.conftest import KEY

if TYPE_CHECKING:
    from local.index_server import IndexServer

PYTHON = Path(sys.prefix) / "sdk9" / "bin" / "python"
SCRIPT = Path(__file__).parent / "sdk9.py"


def test_the_sdk_of_a_year_ago_is_served_too(server: IndexServer) -> None:
    assert PYTHON.exists(), "make test makes it: run `make .venv/sdk9.stamp`"
    command = [str(PYTHON), "-W", "error", str(SCRIPT), server.url, KEY]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
