"""What every benchmark shares: sentences, seconds in turn, a table on the screen and the same figures as JSON."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from pydoc_data.topics import topics
from statistics import median
from typing import TYPE_CHECKING

from pipelines.sentences import split_sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RESULTS = Path(__file__).parent / "results"


def distinct_sentences() -> list[str]:
    """Sentences of the Python documentation inside CPython, each once."""
    return list(dict.fromkeys(sentence.text for topic in topics.values() for sentence in split_sentences(topic)))


def timed(work: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(works: Mapping[str, Callable[[], object]], n_rounds: int) -> dict[str, list[float]]:
    """Seconds of each work in each round: what disturbs the machine for a while disturbs all of them."""
    rounds = [{name: timed(work) for name, work in works.items()} for _ in range(n_rounds)]
    return {name: [seconds[name] for seconds in rounds] for name in works}


def medians(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    """The median of each work's seconds."""
    return {name: median(values) for name, values in seconds.items()}


def peak_megabytes(status: str) -> float:
    """The most that a process ever held, as the text of its /proc/PID/status says."""
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def report(name: str, figures: Mapping[str, float | str]) -> None:
    """Print a table, and write `results/NAME.json`."""
    figures = {**figures, "load": round(os.getloadavg()[0], 2)}
    width = max(map(len, figures))
    for figure, value in figures.items():
        print(f"{figure:<{width}}  {f'{value:,.3g}' if isinstance(value, float) else value:>12}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
