"""How fast sentences are embedded, against sentence-transformers at batch 32, in turn in one run.

    python benchmarks/encode.py [--threads N] [--sentences N] [--rounds N] [--json FILE]

The sentences come from the Python documentation inside CPython. The ratio of the medians is the figure that travels
between machines; the machine's load stands beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from pydoc_data.topics import topics
from statistics import median
from typing import TYPE_CHECKING

import torch

from pipelines.embedder import Embedder
from pipelines.sentences import split_sentences
from pipelines.weights import model_folder

if TYPE_CHECKING:
    from collections.abc import Callable

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from sentence_transformers import SentenceTransformer  # it reads the variable when imported


def main() -> None:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sentences", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    found = [sentence.text for topic in topics.values() for sentence in split_sentences(topic)]
    texts = found[:: max(1, len(found) // arguments.sentences)][: arguments.sentences]
    reference = SentenceTransformer(str(model_folder()), device="cpu")
    embedder = Embedder(n_threads=arguments.threads)  # last: it sets torch's threads for both
    seconds = [
        (timed(lambda: reference.encode(texts, batch_size=32)), timed(lambda: embedder.encode(texts)))
        for _ in range(arguments.rounds)
    ]
    theirs_s, ours_s = (median(column) for column in zip(*seconds, strict=True))
    figures = {
        "model": embedder.fingerprint,
        "n_threads": torch.get_num_threads(),
        "n_sentences": len(texts),
        "sentences_per_s": len(texts) / ours_s,
        "sentence_transformers_per_s": len(texts) / theirs_s,
        "ratio": theirs_s / ours_s,
        "load": os.getloadavg()[0],
    }
    for name, value in figures.items():
        print(f"{name:<30}{value:>36.2f}" if isinstance(value, float) else f"{name:<30}{value:>36}")  # the table
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2))


def timed(work: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
