"""How fast sentences are embedded, against other ways to do it and against the machine's own limit.

    PYTHONPATH=. python benchmarks/encode.py [--sentences N] [--rounds N]

Everything takes its turn in every round. The limit is one oneDNN product of the shapes of the model's linear layers,
1,024 rows, the best of all rounds; a share is the time that the linear layers of these sentences would take at that
rate, over the median of the seconds that all of `encode` took.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from _others import FastEmbed, OnnxRuntime, export_onnx, sentence_transformers, tutorial
from _report import distinct_sentences, in_turn, medians, report, timed

from pipelines.embedder import Embedder
from pipelines.linear import multiplies_bfloat16
from pipelines.tokenizer import load_tokenizer
from pipelines.weights import model_folder

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES = ((384, 1152), (384, 384), (384, 1536), (1536, 384))  # of a layer, inner and outer features
N_LAYERS, N_ROWS = 6, 1024
FLOP_PER_TOKEN = 2 * N_LAYERS * sum(inner * outer for inner, outer in SHAPES)
N_TUTORIAL = 4


def probe(dtype: torch.dtype) -> Callable[[], None]:
    """Build one product of each shape; what comes out is let go at once."""
    ops, parts = torch.ops.mkldnn, []
    for inner, outer in SHAPES:
        weight, bias, x = (torch.randn(*size).to(dtype) for size in ((outer, inner), (outer,), (N_ROWS, inner)))
        parts.append((x, ops._reorder_linear_weight(weight), bias))  # noqa: SLF001  # no public name

    def run() -> None:
        with torch.inference_mode():
            for x, packed, bias in parts:
                ops._linear_pointwise(x, packed, bias, "none", [], "")  # noqa: SLF001

    return run


def best_rate(work: Callable[[], None], n_threads: int) -> float:
    """Tokens a second of the linear layers at the best of many runs."""
    torch.set_num_threads(n_threads)
    seconds = min(timed(work) for _ in range(40))
    torch.set_num_threads(1)
    return N_ROWS / (N_LAYERS * seconds)


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    found = distinct_sentences()
    texts = found[:: max(1, len(found) // arguments.sentences)][: arguments.sentences]
    n_tokens = sum(len(load_tokenizer(model_folder(), 256).encode(text).ids) for text in texts)
    figures: dict[str, float | str] = {"sentences": len(texts), "word pieces a sentence": n_tokens / len(texts)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export_onnx(folder)
        for n_threads in (1, 2):
            figures |= compared(texts, n_tokens, folder, n_threads, arguments.rounds)
    figures |= micro_batches(texts, arguments.rounds)
    report("encode", figures)


def compared(texts: list[str], n_tokens: int, folder: Path, n_threads: int, n_rounds: int) -> dict[str, float | str]:
    """Compare everything on so many threads."""
    exact, rounded = Embedder(None, "float32", n_threads), Embedder(None, "bfloat16", n_threads)
    reference, runtime, line = sentence_transformers(), OnnxRuntime(folder, n_threads), json.dumps(texts)

    def theirs() -> None:
        torch.set_num_threads(n_threads)
        reference.encode(texts, batch_size=32)
        torch.set_num_threads(1)

    probes = {"float32": probe(torch.float32)}
    if multiplies_bfloat16():
        probes["bfloat16"] = probe(torch.bfloat16)
    rates = dict.fromkeys(probes, 0.0)

    def probed() -> None:
        for name, work in probes.items():
            rates[name] = max(rates[name], best_rate(work, n_threads))

    with FastEmbed(folder, n_threads) as fastembed:
        works: dict[str, Callable[[], object]] = {
            "float32": lambda: exact.encode(texts),
            "bfloat16": lambda: rounded.encode(texts),
            "sentence-transformers": theirs,
            "ONNX Runtime": lambda: runtime.encode(texts),
            "fastembed": lambda: fastembed.encode(line),
            "probe": probed,
        }
        if n_threads == 1:
            works["tutorial"] = lambda: [tutorial(text) for text in texts[:N_TUTORIAL]]
        in_turn(works, 1)  # once for nothing
        took = medians(in_turn(works, n_rounds))
    at = f"{n_threads} thread{'s' if n_threads > 1 else ''}"
    base = took.pop("sentence-transformers")
    took.pop("probe")
    if "tutorial" in took:
        took["tutorial"] *= len(texts) / N_TUTORIAL
    figures: dict[str, float | str] = {
        f"{at}: sentence-transformers at batch 32, sentences a second": len(texts) / base
    }
    figures |= {f"{at}: {name} / sentence-transformers": base / seconds for name, seconds in took.items()}
    figures |= {f"{at}: share of the {name} probe": n_tokens / took[name] / rate for name, rate in rates.items()}
    if "bfloat16" not in rates:
        figures[f"{at}: share of the bfloat16 probe"] = "not here"  # a CPU without instructions for it
    return figures


def micro_batches(texts: list[str], n_rounds: int) -> dict[str, float | str]:
    """Compare the batches that a stream brings, on one thread."""
    exact, reference = Embedder(None, "float32", 1), sentence_transformers()
    figures: dict[str, float | str] = {}
    for size in (8, 32):
        batches = [texts[start : start + size] for start in range(0, 256, size)]
        took = medians(
            in_turn(
                {
                    "ours": lambda batches=batches: [exact.encode(batch) for batch in batches],
                    "theirs": lambda batches=batches: [reference.encode(batch, batch_size=32) for batch in batches],
                },
                n_rounds,
            )
        )
        figures[f"1 thread: micro-batches of {size} / sentence-transformers"] = took["theirs"] / took["ours"]
    return figures


if __name__ == "__main__":
    main()
