"""The model's own word pieces, as text reaches it: no padding, no hidden truncation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from pipelines.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


def load_tokenizer(folder: Path, max_tokens: int | None = None) -> Tokenizer:
    """Load a model folder's tokenizer and undo the padding and truncation that its file may bake in.

    That file is `tokenizer.json`; where there is none, `transformers` makes one of what is there, as of a sentencepiece
    model.

    Args:
        folder: The model's folder.
        max_tokens: Word pieces to keep, special tokens included; None keeps all, for counting.

    Returns:
        The tokenizer. Its offsets are code points.

    Raises:
        ModelError: The file is missing or not a tokenizer.
    """
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path)) if path.is_file() else _converted(folder)
    except Exception as error:  # the Rust side raises bare Exception
        raise ModelError(f"Cannot load the tokenizer {path}: {error}. Give a complete model folder.") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if max_tokens is not None:
        tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _converted(folder: Path) -> Tokenizer:
    """Make a tokenizer of the files of an older kind."""
    try:
        from transformers import AutoTokenizer  # noqa: PLC0415  # only such folders need it, and it takes seconds
    except ImportError as error:
        raise ModelError("there is no tokenizer.json, and to make one needs the package transformers") from error
    slow_or_fast = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    tokenizer: Tokenizer = slow_or_fast.backend_tokenizer
    return tokenizer
