"""How much memory does a sync take: the growth of the driver's process, with four times the records and without.

Each size runs in a process of its own, against a server in another; the JVM is another one still.

Run: PYTHONPATH=. python benchmarks/sync_memory.py
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from sync import N_SENTENCES, World, opened

SIZES: Final = (50_000, 200_000)  # records


def memory_mb(field: str) -> float:
    """Read this process's memory: VmRSS now, VmHWM at its peak."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(field))


def memory(n_records: int) -> None:
    """Print by how many MB one sync of so many new records makes the driver's process grow, and its peak."""
    with opened() as (spark, url, _, folder):
        world = World.of(spark, url, n_records // N_SENTENCES, folder)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak of making the rows
        before_mb = memory_mb("VmRSS")
        world.sync()
        print(json.dumps([memory_mb("VmHWM") - before_mb, memory_mb("VmHWM")]))


def main() -> None:
    """Print one table."""
    grown = []
    for n_records in SIZES:
        command = [sys.executable, __file__, str(n_records)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  # ours
        growth, peak = json.loads(done.stdout.splitlines()[-1])
        grown.append(growth)
        print(f"{n_records:>7,} records             {growth:8.0f} MB grown, {peak:,.0f} MB at the peak, allowed 1,500")
    print(f"  more against fewer        {grown[1] / grown[0]:8.2f}    at most 1.3")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        memory(int(sys.argv[1]))
    else:
        main()
