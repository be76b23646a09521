"""Sentences to pieces that fit the model's window: what a model would cut off becomes a record of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import normalize

from pipelines.sentences import Sentence
from pipelines.text import is_blank, replace_surrogates

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Characters of a piece, for each word piece of the window. WordPiece makes one [UNK] of any word of more than 100
# characters, so word pieces alone do not bound a text: a megabyte of base64 counts one. Such a word stays the one [UNK]
# that the model knows it as, but no record holds more than this of it.
_CHARACTERS_PER_TOKEN = 8

_CLAUSE_END = re.compile(r".*[,;:.!?)\]\u2026\u3001\u3002\uff0c\uff1b\uff1a]\s", re.DOTALL)
_WORD_END = re.compile(r".*\s", re.DOTALL)


def split_to_window(sentence: Sentence, tokenizer: Tokenizer, max_tokens: int = 256) -> list[Sentence]:
    """Split a sentence into pieces that the model reads whole.

    Cuts at the last clause end in the second half of what fits, else at the last white space there, else between two
    word pieces. Time grows linearly with the sentence.

    Args:
        sentence: A sentence with its place in the document.
        tokenizer: From `load_tokenizer`, without truncation.
        max_tokens: The window in word pieces, special tokens ([CLS] and [SEP]) included.

    Returns:
        The sentence itself where it fits; else pieces in order, with offsets into the same document, each of at most
        `max_tokens` word pieces and `8 * max_tokens` characters. Every visible character is in one of them.
    """
    budget = max_tokens - tokenizer.num_special_tokens_to_add(is_pair=False)
    text = replace_surrogates(sentence.text)
    # A word piece stands for at least one character of the decomposed form (a Hangul syllable may be three of them).
    if len(normalize("NFD", text)) <= budget:
        return [sentence]
    pieces: list[Sentence] = []
    start, size = 0, _CHARACTERS_PER_TOKEN * max_tokens
    while start < len(text):
        block = text[start : start + size]
        end = start + _fit(block, tokenizer, budget, whole=start + len(block) == len(text))
        piece = sentence.text[start:end].lstrip()
        first = sentence.start + end - len(piece)
        piece = piece.rstrip()
        if not is_blank(piece):
            pieces.append(Sentence(piece, first, first + len(piece)))
        # Twice what fitted last is enough to look at, however dense the script.
        size = min(2 * (end - start), _CHARACTERS_PER_TOKEN * max_tokens)
        start = end
    return pieces


def _fit(block: str, tokenizer: Tokenizer, budget: int, *, whole: bool) -> int:
    """Count the characters of a block that make one piece; `whole` says that nothing follows the block."""
    n_characters = len(block) if whole else _cut(block, len(block))
    while True:
        offsets = tokenizer.encode(block[:n_characters], add_special_tokens=False).offsets
        if len(offsets) <= budget or n_characters == 1:
            return n_characters
        # Several word pieces may share one character, so the end of the last that fits may be where we are.
        n_characters = _cut(block, min(offsets[budget - 1][1], n_characters - 1))


def _cut(block: str, limit: int) -> int:
    """Find the best place to cut a block, at most at `limit` (1 or more) and in the second half before it."""
    half = limit // 2
    best = _CLAUSE_END.match(block, half, limit) or _WORD_END.match(block, half, limit)
    return best.end() if best else max(limit, 1)
