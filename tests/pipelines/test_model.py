"""A folder as data: what is served, and what a folder that is not says."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from pipelines import model
from pipelines.errors import ModelError
from pipelines.model import find_model
from pipelines.weights import DEFAULT_SHA256, model_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the default model's folder with weights nobody pinned."""
    copy = tmp_path / "copy"
    shutil.copytree(model_folder(), copy, ignore=shutil.ignore_patterns("*.safetensors", "*.md"))
    (copy / "model.safetensors").write_bytes(b"weights")
    return copy


def change(path: Path, **values: object) -> None:
    content = json.loads(path.read_text()) | values
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def test_the_default_model_is_what_its_card_says() -> None:
    found = find_model()
    assert (found.dimension, found.max_tokens, found.pooling) == (384, 256, "mean")
    assert found.normalizes
    assert found.is_packed


def test_weights_that_are_not_the_pinned_ones_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "model_folder", lambda _: folder)
    with pytest.raises(ModelError, match=f"Wrong weights.*SHA-256 is [0-9a-f]+, allowed is {DEFAULT_SHA256}"):
        find_model()


@pytest.mark.parametrize(
    "values",
    [{"model_type": "electra"}, {"hidden_act": "relu"}, {"is_decoder": True}],
)
def test_what_the_packed_engine_does_not_compute_goes_another_way(folder: Path, values: dict[str, object]) -> None:
    assert find_model(str(folder)).is_packed
    change(folder / "config.json", **values)
    assert not find_model(str(folder)).is_packed


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("config.json", {"is_encoder_decoder": True}, "is_encoder_decoder True, which is not served"),
        ("sentence_bert_config.json", {"do_lower_case": True}, "do_lower_case True, which is not served"),
        ("config_sentence_transformers.json", {"default_prompt_name": "query"}, "default_prompt_name 'query'"),
        ("config_sentence_transformers.json", {"truncate_dim": 64}, "truncate_dim 64"),
        ("config.json", {"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key'"),
        ("config.json", {"auto_map": {"AutoModel": "modeling.Mine"}}, "auto_map .*, which is not served"),
        ("1_Pooling/config.json", {"pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False}, "lasttoken"),
        (
            "1_Pooling/config.json",
            {"pooling_mode_max_tokens": True},
            r"pools by \['mean', 'max'\], allowed is one of mean",
        ),
    ],
)
def test_a_folder_that_cannot_be_served_says_why(
    folder: Path, file: str, values: dict[str, object], message: str
) -> None:
    change(folder / file, **values)
    with pytest.raises(ModelError, match=message):
        find_model(str(folder))


def test_modules_decide_on_the_length_of_vectors(folder: Path) -> None:
    listed = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps(listed[:2]))
    assert not find_model(str(folder)).normalizes
    listed[1]["path"] = "pooling"
    (folder / "modules.json").write_text(json.dumps(listed))
    with pytest.raises(ModelError, match=r"Cannot read .*pooling.config\.json"):
        find_model(str(folder))
    (folder / "pooling").mkdir()
    (folder / "pooling" / "config.json").write_text('{"pooling_mode": "cls"}')  # as newer versions write it
    assert find_model(str(folder)).pooling == "cls"
    (folder / "modules.json").unlink()
    assert not find_model(str(folder)).normalizes
    dense = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    (folder / "modules.json").write_text(json.dumps([*listed[:2], dense]))
    with pytest.raises(ModelError, match=r"its modules are Transformer, Pooling, Dense, allowed are Transformer, Pool"):
        find_model(str(folder))
    (folder / "modules.json").write_text('["Transformer"]')
    with pytest.raises(ModelError, match=r"Cannot read .*modules\.json"):
        find_model(str(folder))


def test_the_window_is_the_smallest_that_the_folder_names(folder: Path) -> None:
    change(folder / "sentence_bert_config.json", max_seq_length=128)
    assert find_model(str(folder)).max_tokens == 128
    (folder / "sentence_bert_config.json").unlink()
    assert find_model(str(folder)).max_tokens == 512
    change(folder / "config.json", max_position_embeddings=514)
    assert find_model(str(folder)).max_tokens == 512
    change(folder / "tokenizer_config.json", model_max_length=10**30)
    assert find_model(str(folder)).max_tokens == 514
    change(folder / "config.json", model_type="xlm-roberta", pad_token_id=1)
    assert find_model(str(folder)).max_tokens == 512
    change(folder / "config.json", max_position_embeddings=None)
    assert find_model(str(folder)).max_tokens == 512
