"""How fast sentences are embedded where there is a CUDA device, against sentence-transformers there.

    PYTHONPATH=. python benchmarks/encode_gpu.py [--sentences N] [--rounds N]

Every call has sentences of its own drawing, so that nothing is made ready for lengths that come again.
"""

from __future__ import annotations

import argparse
import logging
import random
from typing import TYPE_CHECKING

import torch
from _others import sentence_transformers
from _report import distinct_sentences, in_turn, medians, report

from pipelines.embedder import Embedder
from pipelines.weights import PRECISIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentence_transformers import SentenceTransformer

BATCHES = (32, 256)  # sentence-transformers' own choice, and its best here


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA device: nothing to measure")
        return
    logging.disable(logging.WARNING)
    found, drawing = distinct_sentences(), random.Random(1)  # noqa: S311  # no secret

    def drawn() -> list[str]:
        return drawing.choices(found, k=arguments.sentences)

    works: dict[str, Callable[[], object]] = {}
    for ours in (Embedder(precision=precision) for precision in PRECISIONS):
        works[ours.fingerprint.rpartition("/")[2]] = lambda it=ours: it.encode(drawn())
    exact, half = sentence_transformers("cuda"), sentence_transformers("cuda").half()

    def theirs(model: SentenceTransformer, size: int) -> None:
        torch.backends.cuda.enable_cudnn_sdp(enabled=True)  # as torch has it
        model.encode(drawn(), batch_size=size)
        torch.backends.cuda.enable_cudnn_sdp(enabled=False)

    for size in BATCHES:
        works[f"sentence-transformers, batches of {size}"] = lambda n=size: theirs(exact, n)
        works[f"the same, float16, batches of {size}"] = lambda n=size: theirs(half, n)
    in_turn(works, 1)  # once for nothing
    took = medians(in_turn(works, arguments.rounds))
    figures: dict[str, float | str] = {"device": torch.cuda.get_device_name()}
    figures |= {f"{name}, sentences a second": arguments.sentences / seconds for name, seconds in took.items()}
    fastest = min(seconds for name, seconds in took.items() if name not in PRECISIONS)
    figures |= {f"{name} / the fastest of them": fastest / took[name] for name in PRECISIONS}
    report("encode_gpu", figures)


if __name__ == "__main__":
    main()
