"""How fast sentences are split on one thread, as a share of what sentencex alone does on the same lines in one run.

    python benchmarks/split.py [FILE.conllu ...] [--json FILE]

Without files it reads the Python documentation inside CPython (hard-wrapped, 53 characters a line: the worst case).
"""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

import sentencex  # type: ignore[import-untyped]  # the package ships no types

from pipelines.sentences import split_sentences

if TYPE_CHECKING:
    from collections.abc import Callable

N_ROUNDS = 15


def main() -> None:
    """Measure each text and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="CoNLL-U files, of which `# text` lines are read")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    documents = {path.stem: conllu(path) for path in arguments.files} or {"pydoc": list(topics.values())}
    rows = [measure(name, texts) for name, texts in documents.items()]
    print(f"{'text':<20}{'MB':>6}{'sentences':>11}{'MB/s':>8}{'sentencex MB/s':>16}{'share':>7}")  # the table
    for row in rows:
        print(  # the table
            f"{row['text']:<20}{row['mb']:>6.2f}{row['n_sentences']:>11}"
            f"{row['mb_per_s']:>8.1f}{row['sentencex_mb_per_s']:>16.1f}{row['share']:>7.2f}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2))


def conllu(path: Path) -> list[str]:
    """Read a CoNLL-U file's paragraphs, one a line, as one text per document."""
    documents = path.read_text(encoding="utf-8").split("# newdoc")
    return [
        "\n".join(" ".join(re.findall(r"^# text = (.*)$", part, re.MULTILINE)) for part in document.split("# newpar"))
        for document in documents
    ]


def measure(name: str, texts: list[str]) -> dict[str, str | float]:
    """Time our splitter and bare sentencex in turn; the best round of each counts."""
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    mb = sum(len(text.encode()) for text in texts) / 1e6

    def ours() -> int:
        return sum(len(split_sentences(text)) for text in texts)

    def bare() -> int:
        return sum(len(sentencex.segment("en", line)) for line in lines)

    seconds = [(timed(ours), timed(bare)) for _ in range(N_ROUNDS)]
    ours_s, bare_s = (min(column) for column in zip(*seconds, strict=True))
    return {
        "text": name,
        "mb": mb,
        "n_sentences": ours(),
        "mb_per_s": mb / ours_s,
        "sentencex_mb_per_s": mb / bare_s,
        "share": bare_s / ours_s,
    }


def timed(work: Callable[[], int]) -> float:
    """Seconds of processor time that a call takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
