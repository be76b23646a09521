"""A model's folder as data: its shape, its window, and how the vectors of its tokens become a sentence's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import ModelError
from pipelines.weights import (
    DEFAULT_SHA256,
    dimension,
    model_folder,
    read_json,
    weights_sha256,
)

if TYPE_CHECKING:
    from pathlib import Path

# What the packed engine computes; a model that says otherwise goes through `transformers`.
_PACKED = {"model_type": "bert", "hidden_act": "gelu", "is_decoder": False}

POOLINGS = ("mean", "cls", "max")
"""How the vectors of a sentence's tokens become one: their mean, the first, the largest of each component."""

# What would change vectors, or what a text is, and nobody here would see to it; a model's own code is not run.
_NOT_SERVED = {
    "config.json": ("is_encoder_decoder", "auto_map"),
    "sentence_bert_config.json": ("do_lower_case",),
    "config_sentence_transformers.json": ("default_prompt_name", "truncate_dim"),
}
# Their positions begin behind the padding's number, so the table holds more than the window.
_OFFSET = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer", "roberta-prelayernorm")
_MODULES = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
_ANY_LENGTH = 512  # word pieces, where a model with relative positions names no window
_HUGE = 1_000_000  # word pieces: what a tokenizer's configuration says where there is no limit is far more


@dataclass(frozen=True, slots=True)
class Model:
    """An encoder in a folder as Hugging Face and sentence-transformers lay it out.

    Attributes:
        folder: Where `model.safetensors`, `config.json` and the tokenizer are.
        dimension: Components of a vector.
        max_tokens: The window in word pieces, special tokens included.
        pooling: One of `POOLINGS`.
        normalizes: Vectors are scaled to length 1.
        config: What `config.json` says.
    """

    folder: Path
    dimension: int
    max_tokens: int
    pooling: str
    normalizes: bool
    config: dict[str, Any]

    @property
    def is_packed(self) -> bool:
        """Whether the packed engine can compute it: a BERT encoder."""
        return all(self.config.get(key, allowed) == allowed for key, allowed in _PACKED.items())


def find_model(model_path: str | None = None) -> Model:
    """Find a model, check its weights and read its shape.

    Args:
        model_path: A folder, such as one in a Unity Catalog volume; None for the installed default model, whose weights
            must have the SHA-256 we pin.

    Returns:
        The model, ready to load.

    Raises:
        ModelError: A folder or file is missing, the weights are not the pinned ones, or what the folder asks for is not
            served.
    """
    folder = model_folder(model_path)
    sha256 = weights_sha256(folder)
    if model_path is None and sha256 != DEFAULT_SHA256:
        raise ModelError(
            f"Wrong weights in {folder}: SHA-256 is {sha256}, allowed is {DEFAULT_SHA256}. Install it again."
        )
    config = read_json(folder / "config.json")
    for name, keys in _NOT_SERVED.items():
        content = _read_if_there(folder / name)
        for key in keys:
            if content.get(key):
                raise ModelError(f"Unsupported model: {folder / name} has {key} {content[key]!r}, which is not served.")
    if (kind := config.get("position_embedding_type", "absolute")) != "absolute":
        raise ModelError(f"Unsupported model: {folder / 'config.json'} has position_embedding_type {kind!r}.")
    listed = _modules(folder)
    modules = list(listed)
    if modules not in _MODULES:
        raise ModelError(
            f"Unsupported model in {folder}: its modules are {', '.join(modules)}, "
            f"allowed are {' or '.join(', '.join(names) for names in _MODULES)}."
        )
    return Model(
        folder=folder,
        dimension=dimension(str(folder)),
        max_tokens=_max_tokens(folder, config),
        pooling=_pooling(folder / listed["Pooling"], required=(folder / "modules.json").is_file()),
        normalizes="Normalize" in modules,
        config=config,
    )


def _modules(folder: Path) -> dict[str, str]:
    """Read what comes one after the other, and where; as in sentence-transformers the mean where nothing is said."""
    path = folder / "modules.json"
    if not path.is_file():
        return {"Transformer": "", "Pooling": "1_Pooling"}
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        return {module["type"].rpartition(".")[2]: module["path"] for module in listed}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"Cannot read {path}: {error!r}. Give a complete model folder.") from error


def _pooling(folder: Path, *, required: bool) -> str:
    """Read how the tokens' vectors become one."""
    path = folder / "config.json"
    config = read_json(path) if required else _read_if_there(path)
    prefix = "pooling_mode_"
    flags = [
        name.removeprefix(prefix).removesuffix("_tokens").removesuffix("_token")
        for name, on in config.items()
        if name.startswith(prefix) and on is True
    ]
    modes = config.get("pooling_mode", flags or ["mean"])
    modes = [modes] if isinstance(modes, str) else modes
    if len(modes) != 1 or modes[0] not in POOLINGS:
        raise ModelError(f"Unsupported model: {path} pools by {modes}, allowed is one of {', '.join(POOLINGS)}.")
    return str(modes[0])


def _max_tokens(folder: Path, config: dict[str, Any]) -> int:
    n_positions = config.get("max_position_embeddings")
    if n_positions and config.get("model_type") in _OFFSET:
        n_positions -= config.get("pad_token_id", 1) + 1
    limits = [
        _read_if_there(folder / "sentence_bert_config.json").get("max_seq_length"),
        _read_if_there(folder / "tokenizer_config.json").get("model_max_length"),  # huge where nobody set it
        n_positions,
    ]
    return min((limit for limit in limits if limit and 0 < limit < _HUGE), default=_ANY_LENGTH)


def _read_if_there(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}
