"""What the tutorial this project grew from did to its vectors, and what a model load per sentence costs.

Spearman correlation (times 100) of cosine similarity with human judgement, on the dev set of the STS benchmark, which
lies in ../shared/data/sts. Run: PYTHONPATH=. python benchmarks/tutorial.py
"""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from sentence_transformers import SentenceTransformer

from pipelines.embedder import Embedder
from pipelines.model import find_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

DATA = Path(__file__).parents[2] / "shared" / "data" / "sts"
N_LOADS = 5


def pairs() -> tuple[list[str], list[str], list[float]]:
    """Read the dev set: first sentences, second sentences, judgements."""
    with next(DATA.glob("*dev*")).open(encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row[5] for row in rows], [row[6] for row in rows], [float(row[4]) for row in rows]


def spearman(encode: Callable[[list[str]], NDArray[np.float32]]) -> float:
    """Score one way to embed."""
    one, other, judged = pairs()
    vectors = [encode(texts) for texts in (one, other)]
    one_v, other_v = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in vectors)
    ranks = [pd.Series(values).rank() for values in ((one_v * other_v).sum(axis=1), judged)]
    return 100 * float(np.corrcoef(*ranks)[0, 1])


def main() -> None:
    """Print one table."""
    torch.set_num_threads(1)
    embedder, model = Embedder(n_threads=1), SentenceTransformer(str(find_model(None).folder), device="cpu")

    def first_token(texts: list[str]) -> NDArray[np.float32]:
        """Take the last layer's vector of the first token (CLS)."""
        order = np.argsort([len(text) for text in texts])
        vectors = np.empty((len(texts), embedder.dimension), np.float32)
        with torch.inference_mode():
            for start in range(0, len(texts), 32):
                part = order[start : start + 32]
                tokens = model.preprocess([texts[i] for i in part])
                vectors[part] = model[0](tokens)["token_embeddings"][:, 0].numpy()
        return vectors

    def of_series(texts: list[str]) -> NDArray[np.float32]:
        """Embed what `str(Series)` makes of each sentence, as the tutorial's pandas function does."""
        return first_token([str(pd.Series([text], name="sentence")) for text in texts])

    ours = spearman(embedder.encode)
    print(f"{'str(Series), first token':<40}{spearman(of_series):8.1f}")
    print(f"{'the sentence, first token':<40}{spearman(first_token):8.1f}")
    print(f"{'here: the sentence, mean pooling':<40}{ours:8.1f}")

    sentences = pairs()[0]
    started = time.monotonic()
    for text in sentences[:N_LOADS]:
        Embedder(n_threads=1).encode([text])
    loading_s = (time.monotonic() - started) / N_LOADS
    started = time.monotonic()
    embedder.encode(sentences)
    once_s = (time.monotonic() - started) / len(sentences)
    print(f"{'a model load for each sentence takes':<40}{loading_s / once_s:8.0f} times as long a sentence as one load")


if __name__ == "__main__":
    main()
