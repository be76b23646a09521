"""Vectors: the ones sentence-transformers gives, and the same bits in any company."""

from __future__ import annotations

import csv
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
from tests.pipelines.models import load_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

STS = Path(__file__).parents[2].parent / "shared" / "data" / "sts" / "sts-dev.csv"

SENTENCES = [sentence.text for topic in topics.values() for sentence in split_sentences(topic)]
WORDS = " ".join(SENTENCES).split()

# The first four components; the reference gives the same.
GOLDEN = {
    "The cat sat on the mat.": [0.130237, -0.015773, -0.036717, 0.057986],
    "": [-0.118838, 0.048299, -0.002548, -0.011011],
    "Streaming embeddings": [-0.020864, -0.127044, 0.027164, -0.065196],
    "Spa\u00df \u2014 \u6f22\u5b57 \u2603 \U0001f600": [-0.029107, 0.076912, 0.022385, 0.040955],
    "The window ends here. " * 100: [-0.027756, 0.056581, 0.015476, -0.003637],
    "x" * 600: [-0.041596, -0.024682, 0.077893, -0.00615],
}


@pytest.fixture(scope="module")
def embedder() -> Iterator[Embedder]:
    """Give one embedder on one thread, and torch its threads back afterwards."""
    n_threads = torch.get_num_threads()
    yield shared_embedder(n_threads=1)
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def reference() -> SentenceTransformer:
    """Give what everyone compares with, loaded from the same folder."""
    return load_reference(model_folder())


@pytest.mark.long
def test_vectors_are_those_of_sentence_transformers(reference: SentenceTransformer) -> None:
    distinct = list(dict.fromkeys(SENTENCES))
    sentences = distinct[:: len(distinct) // 1980][:1980] + [" ".join(WORDS[:n]) for n in range(20, 300, 14)]
    exact, near = Embedder().encode(sentences), Embedder(precision="bfloat16").encode(sentences)
    theirs = reference.encode(sentences, batch_size=32)
    np.testing.assert_allclose(reference.encode(list(GOLDEN))[:, :4], list(GOLDEN.values()), atol=2e-6)
    assert exact.shape == near.shape == (2000, 384)
    assert exact.dtype == near.dtype == np.float32
    assert (exact * theirs).sum(axis=1).min() >= 0.99999
    assert 0.9998 <= (near * theirs).sum(axis=1).min() < 0.99999
    np.testing.assert_allclose(np.linalg.norm(exact, axis=1), 1, atol=1e-6)
    shared = [len({*ours} & {*others}) / 10 for ours, others in zip(neighbours(near), neighbours(theirs), strict=True)]
    assert np.mean(shared) >= 0.98


def neighbours(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """Find the ten nearest others of each vector."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1)
    return np.argsort(-similarity, axis=1)[:, :10]


def test_known_sentences_have_known_vectors(embedder: Embedder) -> None:
    exact, near = embedder.encode(list(GOLDEN)), shared_embedder(None, "bfloat16", 1).encode(list(GOLDEN))
    np.testing.assert_allclose(exact[:, :4], list(GOLDEN.values()), atol=2e-6)
    assert 1e-4 < np.abs(exact - near).max() < 1e-2


@cache
def alone(precision: str, n_words: int, start: int) -> NDArray[np.float32]:
    return shared_embedder(None, precision, 1).encode([" ".join(WORDS[start : start + n_words])])[0]


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=pytest.mark.long)])
@settings(max_examples=20, deadline=None)
@given(batch=st.lists(st.tuples(st.integers(0, 240) | st.integers(1, 20), st.integers(0, 9)), min_size=1, max_size=40))
@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU chooses its kernels by the shape of a batch")
def test_a_sentence_has_the_same_bits_alone_and_in_any_batch(precision: str, batch: list[tuple[int, int]]) -> None:
    sentences = [" ".join(WORDS[start : start + n]) for n, start in batch]
    for n_threads in (1, 2):
        vectors = shared_embedder(None, precision, n_threads).encode(sentences)
        for vector, (n, start) in zip(vectors, batch, strict=True):
            assert vector.tobytes() == alone(precision, n, start).tobytes()


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
    assert shared_embedder(None, "bfloat16", 1).fingerprint == fingerprint(None, "bfloat16")
    assert embedder.dimension == 384


def test_a_precision_we_cannot_compute_is_refused_before_loading() -> None:
    n_loads = Embedder.n_loads
    with pytest.raises(ModelError, match="got 'int8', allowed: float32, bfloat16, float16"):
        Embedder(precision="int8")
    if not torch.cuda.is_available():
        with pytest.raises(ModelError, match="No CUDA device for precision float16"):
            Embedder(precision="float16")
    assert Embedder.n_loads == n_loads


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("precision", "nearness"), [("float32", 0.99999), ("float16", 0.9999), ("bfloat16", 0.999)])
def test_a_gpu_gives_the_same_vectors(reference: SentenceTransformer, precision: str, nearness: float) -> None:
    sentences = [*SENTENCES[::70], " ".join(WORDS[:240])]
    torch.backends.cuda.enable_cudnn_sdp(enabled=True)
    with torch.profiler.profile(acc_events=True) as profile:  # without, it warns
        ours = Embedder(precision=precision).encode(sentences)
    assert (ours * reference.encode(sentences)).sum(axis=1).min() >= nearness
    assert not [found.key for found in profile.key_averages() if "cudnn_attention" in found.key]


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    for path in model_folder().iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "config.json").unlink()
    config = (model_folder() / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"num_hidden_layers": 6', '"num_hidden_layers": 7'))
    with pytest.raises(ModelError, match=r"No 'encoder\.layer\.6"):
        Embedder(str(tmp_path))


@pytest.mark.long
@pytest.mark.skipif(not STS.is_file(), reason="needs shared/data beside the repository")
def test_similarity_ranks_pairs_as_well_as_sentence_transformers(reference: SentenceTransformer) -> None:
    with STS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    score = np.array([float(row[4]) for row in rows])
    sentences = sorted({text for row in rows for text in row[5:7]})
    place = {text: i for i, text in enumerate(sentences)}
    left, right = (np.array([place[row[column]] for row in rows]) for column in (5, 6))
    exact, near = Embedder().encode(sentences), Embedder(precision="bfloat16").encode(sentences)
    vectors = (exact, near, reference.encode(sentences, batch_size=64))
    ours, rounded, theirs = (100 * spearman((v[left] * v[right]).sum(axis=1), score) for v in vectors)
    assert abs(ours - theirs) <= 0.05
    assert abs(rounded - theirs) <= 0.2
    assert ours >= 86


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float(np.corrcoef(ranks(x), ranks(y))[0, 1])


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank values from 0, ties at their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[inverse]
