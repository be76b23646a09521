"""What a worker of Spark runs, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
SPLIT = """
import re, sys
from pathlib import Path
import pandas as pd
import pyarrow as pa
from pipelines.to_sentences import _pieces
(pieces,) = _pieces(None).func(pd.Series(["word " * 1_000_000], dtype=object))
array = pa.array([pieces])  # as it leaves for Spark
print(len(array[0]), re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


# Not `ru_maxrss`, in which a child begins with what its parent had.
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the kernel's own figure")
def test_five_megabytes_without_punctuation_take_a_worker_less_than_one_gigabyte() -> None:
    command = [sys.executable, "-c", SPLIT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603  # our own
    n_pieces, peak_kb = map(int, done.stdout.split())
    assert n_pieces > 2_000
    assert peak_kb < 1024 * 1024
