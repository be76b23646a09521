"""Sentences to pieces that fit the model's window: what a model would cut off becomes a record of its own."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING
from unicodedata import normalize

from pipelines.sentences import Sentence
from pipelines.text import is_blank, replace_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenizers import Tokenizer

# Characters of a piece, for each word piece of the window. WordPiece makes one [UNK] of any word of more than 100
# characters, so word pieces alone do not bound a text: a megabyte of base64 counts one. Such a word stays the one [UNK]
# that the model knows it as, but no record holds more than this of it.
_CHARACTERS_PER_TOKEN = 8

# WordPiece tries every part of a word, the square of its length: seconds for a megabyte of words like these. Few people
# write them, so they are counted without trying, as one word piece a character, which is the most they can be.
_LONG_WORD = re.compile(r"(?<![^\W_])[^\W_]{25,100}(?![^\W_])")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]+")  # of ASCII: one word piece each, no need to ask

# White space that parts words for the tokenizer too, which drops the others as control characters.
_SPACE = r"[^\S\v\f\x1c-\x1f\x85]"
_CLAUSE_END = re.compile(rf".*[,;:.!?)\]\u2026\u3001\u3002\uff0c\uff1b\uff1a]{_SPACE}", re.DOTALL)
_WORD_END = re.compile(rf".*{_SPACE}", re.DOTALL)


def split_to_window(sentence: Sentence, tokenizer: Tokenizer, max_tokens: int = 256) -> list[Sentence]:
    """Split a sentence into pieces that the model reads whole.

    Cuts at the last clause end in the second half of what fits, else at the last white space there, else between two
    words (punctuation and ideographs are words of their own), else between two word pieces. Time grows linearly with
    the sentence.

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
    start = 0
    for end in _ends(
        _LONG_WORD.sub(_counted_by_character, text), tokenizer, budget, _CHARACTERS_PER_TOKEN * max_tokens
    ):
        piece = sentence.text[start:end].lstrip()
        first = sentence.start + end - len(piece)
        piece = piece.rstrip()
        if not is_blank(piece):
            pieces.append(Sentence(piece, first, first + len(piece)))
        start = end
    return pieces


def _counted_by_character(word: re.Match[str]) -> str:
    """Put a full stop, which is always one word piece, for each character of a word, unless some are more than one."""
    return "." * len(word[0]) if len(normalize("NFD", word[0])) == len(word[0]) else word[0]


def _ends(text: str, tokenizer: Tokenizer, budget: int, n_characters: int) -> Iterator[int]:
    """Yield where each piece ends. Blocks of two pieces or more are tokenized, so that little is read twice."""
    start = 0
    while start < len(text):
        known = _PUNCTUATION.match(text, start, start + budget)
        if known and known.end() == start + budget:
            start = known.end()
            yield start
            continue
        block = text[start : start + 2 * n_characters]
        end = 0
        for end in _ends_in_block(block, tokenizer, budget, n_characters, whole=start + len(block) == len(text)):
            yield start + end
        start += end


def _ends_in_block(block: str, tokenizer: Tokenizer, budget: int, n_characters: int, *, whole: bool) -> Iterator[int]:
    """Yield the ends of a block's pieces, but for what may go on in the next block; `whole` says that there is none."""
    encoding = tokenizer.encode(block, add_special_tokens=False)
    offsets, words = encoding.offsets, encoding.word_ids
    starts = [start for start, _ in offsets]
    start = first = 0  # the next piece's first character and word piece
    while True:
        limit = start + n_characters
        if len(offsets) - first > budget:
            limit = min(limit, offsets[first + budget - 1][1])
        elif limit >= len(block):
            if whole:
                yield len(block)
            return
        half = (start + limit) // 2
        if space := _CLAUSE_END.match(block, half, limit) or _WORD_END.match(block, half, limit):
            start = space.end()
            first = bisect_left(starts, start, first)
        elif word := _last_word(starts, words, half, limit, min(first + budget, bisect_right(starts, limit) - 1)):
            start, first = starts[word], word
        else:
            yield start + _fit(block[start : max(limit, start + 1)], tokenizer, budget)
            return  # what follows inside a word is made of other word pieces
        yield start


def _last_word(starts: Sequence[int], words: Sequence[int | None], after: int, limit: int, last: int) -> int:
    """Find the last word piece, at most `last`, that begins a word between two places; 0 where there is none."""
    for n in range(last, 0, -1):
        if starts[n] <= after:
            return 0
        if starts[n] <= limit and words[n] != words[n - 1]:
            return n
    return 0


def _fit(part: str, tokenizer: Tokenizer, budget: int) -> int:
    """Count the characters of a part that fit; where an [UNK] was cut, its first half may be many word pieces."""
    n_characters = len(part)
    while n_characters > 1:
        offsets = tokenizer.encode(part[:n_characters], add_special_tokens=False).offsets
        if len(offsets) <= budget:
            break
        # Several word pieces may share one character, so the end of the last that fits may be where we are.
        n_characters = max(1, min(offsets[budget - 1][1], n_characters - 1))
    return n_characters
