"""Vectors: the ones sentence-transformers gives, and the same bits in any company."""

from __future__ import annotations

import csv
import os
import warnings
from functools import cache
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.embedder import Embedder, shared_embedder
from pipelines.errors import ModelError
from pipelines.sentences import split_sentences
from pipelines.weights import fingerprint, model_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

STS = Path(__file__).parents[2].parent / "shared" / "data" / "sts" / "sts-dev.csv"

SENTENCES = [sentence.text for topic in topics.values() for sentence in split_sentences(topic)]
WORDS = " ".join(SENTENCES).split()

# The first four components; sentence-transformers 6.2.0 gives the same.
GOLDEN = {
    "The cat sat on the mat.": [0.130237, -0.015773, -0.036717, 0.057986],
    "": [-0.118838, 0.048299, -0.002548, -0.011011],
    "Streaming embeddings": [-0.020864, -0.127044, 0.027164, -0.065196],
}


@pytest.fixture(scope="module")
def embedder() -> Iterator[Embedder]:
    """Give one embedder on one thread, and torch its threads back afterwards."""
    n_threads = torch.get_num_threads()
    yield shared_embedder(n_threads=1)
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def reference() -> SentenceTransformer:
    """Give what everyone compares with, loaded from the same folder, offline."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its dependencies' imports warn, not its results
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415  # seconds to import

        return SentenceTransformer(str(model_folder()), device="cpu")


def test_vectors_are_those_of_sentence_transformers(embedder: Embedder, reference: SentenceTransformer) -> None:
    sentences = SENTENCES[::21][:490] + [" ".join(WORDS[:n]) for n in range(40, 240, 20)]
    ours = embedder.encode(sentences)
    theirs = reference.encode(sentences, batch_size=32)
    assert ours.shape == (500, 384)
    assert ours.dtype == np.float32
    assert (ours * theirs).sum(axis=1).min() >= 0.99999
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-6)


def test_known_sentences_have_known_vectors(embedder: Embedder) -> None:
    vectors = embedder.encode(list(GOLDEN))
    np.testing.assert_allclose(vectors[:, :4], list(GOLDEN.values()), atol=2e-6)


@cache
def alone(n_words: int, start: int) -> NDArray[np.float32]:
    return shared_embedder(n_threads=1).encode([" ".join(WORDS[start : start + n_words])])[0]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 240) | st.integers(1, 20), st.integers(0, 9)), min_size=1, max_size=40))
@pytest.mark.usefixtures("embedder")
def test_a_sentence_has_the_same_bits_alone_and_in_any_batch(batch: list[tuple[int, int]]) -> None:
    vectors = shared_embedder(n_threads=1).encode([" ".join(WORDS[start : start + n]) for n, start in batch])
    for vector, (n, start) in zip(vectors, batch, strict=True):
        assert vector.tobytes() == alone(n, start).tobytes()


def test_a_sentence_has_the_same_bits_in_chunks_of_any_size_on_two_threads() -> None:
    n_threads = torch.get_num_threads()
    two = Embedder(n_threads=2)
    sentences = SENTENCES[::70][:150] + [" ".join(WORDS[:n]) for n in (100, 180, 240)]
    together = two.encode(sentences)
    assert two.encode(sentences[::-1])[::-1].tobytes() == together.tobytes()
    assert all(
        two.encode([sentences[i]])[0].tobytes() == together[i].tobytes() for i in (*range(0, 150, 10), 150, 151, 152)
    )
    torch.set_num_threads(n_threads)


def test_nothing_in_nothing_out(embedder: Embedder) -> None:
    assert embedder.encode([]).shape == (0, 384)


def test_lone_surrogates_count_as_replacement_characters(embedder: Embedder) -> None:
    broken, replaced = embedder.encode(["a \ud800 b", "a \ufffd b"])
    assert broken.tobytes() == replaced.tobytes()


def test_what_lies_beyond_the_window_does_not_reach_the_vector(embedder: Embedder) -> None:
    inside, beyond = embedder.encode(["word " * 254, "word " * 254 + "something else"])
    assert inside.tobytes() == beyond.tobytes()


def test_one_process_loads_one_model(embedder: Embedder) -> None:
    n_loads = Embedder.n_loads
    assert shared_embedder(n_threads=1) is embedder
    assert Embedder.n_loads == n_loads
    assert torch.get_num_threads() == 1


def test_what_ran_is_what_was_expected(embedder: Embedder) -> None:
    assert embedder.fingerprint == fingerprint(None, "float32")
    assert embedder.dimension == 384


def test_a_precision_we_cannot_compute_is_refused_before_loading() -> None:
    n_loads = Embedder.n_loads
    with pytest.raises(ModelError, match="got 'bfloat16', allowed: float32"):
        Embedder(precision="bfloat16")
    assert Embedder.n_loads == n_loads


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    for path in model_folder().iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "config.json").unlink()
    config = (model_folder() / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"num_hidden_layers": 6', '"num_hidden_layers": 7'))
    with pytest.raises(ModelError, match=r"No tensor 'encoder\.layer\.6"):
        Embedder(str(tmp_path))


@pytest.mark.skipif(not STS.is_file(), reason="needs shared/data beside the repository")
def test_similarity_ranks_pairs_as_well_as_sentence_transformers(
    embedder: Embedder, reference: SentenceTransformer
) -> None:
    with STS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[::3]  # a third of 1,500 pairs, for time
    score = np.array([float(row[4]) for row in rows])
    sentences = sorted({text for row in rows for text in row[5:7]})
    place = {text: i for i, text in enumerate(sentences)}
    left, right = (np.array([place[row[column]] for row in rows]) for column in (5, 6))
    ours, theirs = embedder.encode(sentences), reference.encode(sentences, batch_size=64)
    rank_ours, rank_theirs = (spearman((v[left] * v[right]).sum(axis=1), score) for v in (ours, theirs))
    assert abs(rank_ours - rank_theirs) <= 0.001
    assert rank_ours >= 0.8


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float(np.corrcoef(ranks(x), ranks(y))[0, 1])


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank values from 0, ties at their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[inverse]
