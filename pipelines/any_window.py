"""Where a sentence is cut for a tokenizer of any kind, which is asked again and again; `window` knows WordPiece.

What a part is made of can only be known by asking: of a Unigram or BPE tokenizer the tokens of two halves need not add
up to those of the whole, and a character may be as many tokens as it has bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenizers import Tokenizer

_ENDS = (re.compile(r".*(?:[,;:.!?)\]…]\s|[、。！，：；？])", re.DOTALL), re.compile(r".*\s", re.DOTALL))  # noqa: RUF001  # of ideographic text


def any_ends(text: str, tokenizer: Tokenizer, budget: int, n_characters: int) -> Iterator[int]:
    """Yield where each piece of a text ends.

    Args:
        text: without lone surrogates.
        tokenizer: without truncation.
        budget: tokens that a piece may have, without special ones.
        n_characters: characters that a piece may have.
    """
    start = 0
    while start < len(text):
        block = text[start : start + n_characters]
        size = _fitting(block, tokenizer, budget)
        if start + size < len(text):
            half = size // 2
            found = next((match.end() for end in _ENDS if (match := end.match(block, half, size))), size)
            size = _fitting(block[:found], tokenizer, budget)
        start += size
        yield start


def _fitting(block: str, tokenizer: Tokenizer, budget: int) -> int:
    """Count the characters from the start of a block that fit; one at least, or nothing would be left of a text."""
    size = len(block)
    while size > 1:
        part = block[:size].lstrip()  # as the piece will be
        encoding = tokenizer.encode(part.rstrip(), add_special_tokens=False)
        if len(encoding.ids) <= budget:
            break
        # Several tokens may share a character, so the end of the last that fits may be where we are.
        size = max(1, min(size - len(part) + encoding.offsets[budget - 1][1], size - 1))
    return size
