"""Models of other families give the vectors of sentence-transformers, whatever their tokenizer, pooling and length."""

from __future__ import annotations

import json
import sys
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipelines.any_encoder import AnyEncoder
from pipelines.embedder import Embedder
from pipelines.errors import ModelError
from pipelines.packed import PackedBert
from tests.pipelines.models import MODULES, load_reference, save_model, write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long

WORDS = topics["while"].split()
SENTENCES = [" ".join(WORDS[i : i + n]) for i, n in enumerate([1, 3, 5, 5, 9, 20, 30, 60])] + ["", "caf\u00e9 \u2603"]


@pytest.mark.parametrize(
    ("kind", "pooling", "engine"),
    [
        ("bert", "mean", PackedBert),
        ("bert", "cls", PackedBert),
        ("bert", "max", PackedBert),
        ("xlm-roberta", "mean", AnyEncoder),
        ("distilbert", "cls", AnyEncoder),
        ("electra", "mean", AnyEncoder),
    ],
)
def test_vectors_are_those_of_sentence_transformers(tmp_path: Path, kind: str, pooling: str, engine: type) -> None:
    folder = save_model(tmp_path, kind, pooling=pooling)
    embedder = Embedder(str(folder))
    assert isinstance(embedder._encoder, engine)
    ours, theirs = embedder.encode(SENTENCES), load_reference(folder).encode(SENTENCES)
    assert ours.shape == (len(SENTENCES), 32)
    assert (ours * theirs).sum(axis=1).min() >= 0.99999
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "electra"])
def test_a_folder_that_does_not_normalize_is_not_normalized(tmp_path: Path, kind: str) -> None:
    folder = save_model(tmp_path, kind, modules=MODULES[:2])
    ours, theirs = Embedder(str(folder)).encode(SENTENCES), load_reference(folder).encode(SENTENCES)
    assert np.linalg.norm(ours, axis=1).max() > 2
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("kind", ["xlm-roberta", "distilbert"])
def test_company_changes_no_more_than_the_last_bits(tmp_path: Path, kind: str) -> None:
    embedder = Embedder(str(save_model(tmp_path, kind)))
    together = embedder.encode(SENTENCES)
    for sentence, vector in zip(SENTENCES, together, strict=True):
        np.testing.assert_allclose(embedder.encode([sentence])[0], vector, atol=1e-6)


def test_bfloat16_is_near(tmp_path: Path) -> None:
    folder = str(save_model(tmp_path, "electra"))
    exact, near = Embedder(folder).encode(SENTENCES), Embedder(folder, "bfloat16").encode(SENTENCES)
    assert 0.999 <= (exact * near).sum(axis=1).min() < 1


def test_weights_that_are_missing_are_not_drawn_at_random(tmp_path: Path) -> None:
    folder = save_model(tmp_path, "electra")
    config = json.loads((folder / "config.json").read_text())
    write(folder / "config.json", config | {"num_hidden_layers": 3})
    with pytest.raises(ModelError, match=r"The weights in .* lack encoder\.layer\.2\."):
        Embedder(str(folder))


def test_a_window_that_only_the_positions_tell_is_kept_to(tmp_path: Path) -> None:
    folder = save_model(tmp_path, "xlm-roberta")
    (folder / "tokenizer_config.json").unlink()
    assert Embedder(str(folder)).encode(["word " * 200]).shape == (1, 32)


def test_what_transformers_does_not_know_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_model(tmp_path, "electra")
    write(folder / "config.json", {"model_type": "nobody_knows", "hidden_size": 32})
    with pytest.raises(ModelError, match=r"transformers cannot load the model .*'nobody_knows'"):
        Embedder(str(folder))
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match="of type 'nobody_knows', which needs the package transformers: install it"):
        Embedder(str(folder))
