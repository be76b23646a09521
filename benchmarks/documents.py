"""A source of 50,000 short documents, through pipeline and sync: seconds per 1,000 sentences, and how memory grows.

    PYTHONPATH=. python benchmarks/documents.py

Each size is one `local run` in a home of its own, against `local serve` in a process of its own, as a user would start
them. Of a document's sentences nine in ten are no other's. Memory is the most that each process ever held.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from _report import distinct_sentences, peak_megabytes, report

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES: Final = (10_000, 50_000)  # documents
_LONGEST: Final = 100  # characters of a sentence: the documents are short
_KINDS: Final = {"pyspark.daemon": "worker", "java": "JVM", "local run": "driver"}
_PAUSE_S: Final = 0.5


def write(file: Path, n_documents: int) -> None:
    """Write a source."""
    found = [sentence for sentence in distinct_sentences() if len(sentence) < _LONGEST]
    with file.open("w", encoding="utf-8") as rows:
        for i in range(n_documents):
            first, second = (found[(2 * i + place) % len(found)] for place in range(2))
            rows.write(json.dumps({"id": str(i), "text": f"Number {i}: {first}\n{second} That is {i}."}) + "\n")


@contextmanager
def served(home: Path) -> Iterator[None]:
    """Serve a home's index."""
    command = [sys.executable, "-m", "local", "serve", "--home", str(home), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603  # ours
        assert server.stdout is not None  # noqa: S101  # it is a pipe
        server.stdout.readline()  # where it listens
        try:
            yield
        finally:
            server.terminate()


def peaks(root: int) -> dict[str, float]:
    """The most that a process of each kind below `root` has held so far, in MB."""
    held: dict[str, float] = {}
    for process in below(root):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            peak = peak_megabytes((process / "status").read_text())
        except OSError:  # it ended meanwhile
            continue
        kind = next((kind for words, kind in _KINDS.items() if words in command), "")
        if kind:
            held[kind] = max(held.get(kind, 0.0), peak)
    return held


def below(root: int) -> Iterator[Path]:
    """List a process and all that it started."""
    here = Path(f"/proc/{root}")
    yield here
    for thread in here.glob("task/*/children"):  # a JVM starts processes from any of its threads
        try:
            children = thread.read_text().split()
        except OSError:  # it ended meanwhile
            continue
        for child in children:
            yield from below(int(child))


def run(folder: Path, n_documents: int) -> tuple[dict[str, float], dict[str, float]]:
    """Run once; return figures of `--json` that matter, and the peaks."""
    source, home, out = folder / "source.jsonl", folder / f"home{n_documents}", folder / "figures.json"
    write(source, n_documents)
    command = [sys.executable, "-m", "local", "run", str(source), "--home", str(home), "--json", str(out)]
    held: dict[str, float] = {}
    with served(home), subprocess.Popen(command) as job:  # noqa: S603  # ours
        while job.poll() is None:
            held = {kind: max(mb, held.get(kind, 0.0)) for kind, mb in (held | peaks(job.pid)).items()}
            time.sleep(_PAUSE_S)
    if job.returncode:
        raise SystemExit(job.returncode)
    done = json.loads(out.read_text(encoding="utf-8"))
    assert done["n_documents"] == n_documents, done  # noqa: S101  # else there is nothing to report
    assert done["n_records"] == done["n_sentences"], done  # noqa: S101
    return {
        "n_sentences": done["n_sentences"],
        "pipeline": done["seconds"]["pipeline"],
        "sync": done["seconds"]["sync"],
    }, held


def main() -> None:
    """Measure both sizes."""
    figures: dict[str, float | str] = {}
    with tempfile.TemporaryDirectory() as name:
        (few, few_held), (many, many_held) = (run(Path(name), n) for n in SIZES)
    for n, done in zip(SIZES, (few, many), strict=True):
        for stage in ("pipeline", "sync"):
            figures[f"{n:,} documents, {stage}, s per 1,000 sentences"] = 1_000 * done[stage] / done["n_sentences"]
    for kind in few_held:
        figures[f"{kind}, MB with {SIZES[0]:,} documents"] = few_held[kind]
        figures[f"{kind}, MB with {SIZES[1]:,} documents"] = many_held[kind]
        figures[f"{kind}, growth"] = many_held[kind] / few_held[kind]
    report("documents", figures)


if __name__ == "__main__":
    main()
