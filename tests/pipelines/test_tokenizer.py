"""The tokenizer as the model's folder has it, without what the file bakes in."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from pipelines.errors import ModelError
from pipelines.tokenizer import load_tokenizer
from pipelines.weights import model_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_padded_and_nothing_truncated_unless_asked() -> None:
    text = "word " * 1000
    assert len(load_tokenizer(model_folder()).encode(text).ids) == 1002
    assert len(load_tokenizer(model_folder(), 256).encode(text).ids) == 256
    assert load_tokenizer(model_folder()).encode("a word").tokens == ["[CLS]", "a", "word", "[SEP]"]


def test_a_folder_without_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"(?s)Cannot load the tokenizer .*tokenizer\.json.*Give a complete model folder"
    ):
        load_tokenizer(tmp_path)


def test_files_of_an_older_kind_make_the_same_tokenizer(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        shutil.copy(model_folder() / name, tmp_path / name)
    text = "Caf\u00e9 unbelievably, 1 word"
    assert load_tokenizer(tmp_path).encode(text).ids == load_tokenizer(model_folder()).encode(text).ids
