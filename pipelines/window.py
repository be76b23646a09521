"""Sentences to pieces that fit the model's window: what a model would cut off becomes a record of its own."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from tokenizers.models import WordPiece

from pipelines.any_window import any_ends
from pipelines.sentences import Sentence
from pipelines.text import is_blank, replace_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenizers import Tokenizer

# Characters of a piece, for each word piece of the window. WordPiece makes one [UNK] of any word of more than 100
# characters, so word pieces alone do not bound a text: a megabyte of base64 counts one. Such a word stays the one [UNK]
# that the model knows it as, but no record holds more than this of it.
_CHARACTERS_PER_TOKEN = 8

# White space that parts words for the tokenizer too, which drops the others as control characters.
_SPACE = r"[^\S\v\f\x1c-\x1f\x85]"

# WordPiece tries every part of a word, the square of its length: seconds for a megabyte of words like these. Few people
# write them, so their word pieces are counted without trying, as the most they can be: one a decomposed character.
_LONG_WORD = re.compile(rf"(?:(?!{_SPACE})[^!-/:-@\[-`{{-~]){{25,}}")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]+")  # of ASCII: one word piece each, no need to ask
_IDEOGRAPH = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")  # each a word of its own
_LONGEST_KNOWN = 100  # characters; of a longer word WordPiece makes one [UNK] at once

_CLAUSE_END = re.compile(rf".*(?:[,;:.!?)\]\u2026]{_SPACE}|[\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f])", re.DOTALL)
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
    is_word_piece = isinstance(tokenizer.model, WordPiece)
    # A word piece stands for at least one character of the decomposed form (a Hangul syllable may be three of them).
    if is_word_piece and len(normalize("NFD", text)) <= budget:
        return [sentence]
    pieces: list[Sentence] = []
    start = 0
    ends = (_ends if is_word_piece else any_ends)(text, tokenizer, budget, _CHARACTERS_PER_TOKEN * max_tokens)
    for end in ends:
        piece = sentence.text[start:end].lstrip()
        first = sentence.start + end - len(piece)
        piece = piece.rstrip()
        if not is_blank(piece):
            pieces.append(Sentence(piece, first, first + len(piece)))
        start = end
    return pieces


class _WordPieces(NamedTuple):
    """What a text is made of, in order, by an upper bound."""

    starts: list[int]
    ends: list[int]
    words: list[int | None]  # the number of the word that each belongs to; None for what is no word


def _word_pieces(text: str, tokenizer: Tokenizer) -> _WordPieces:
    """Tokenize a text, but count long words without looking."""
    long = [word for word in _LONG_WORD.finditer(text) if not _is_unknown(word[0])]
    for word in long:
        text = f"{text[: word.start()]}{' ' * len(word[0])}{text[word.end() :]}"
    encoding = tokenizer.encode(text, add_special_tokens=False)
    offsets, words = encoding.offsets, encoding.word_ids
    if long:
        counted = [
            ((i, i + 1), len(text) + word.start())
            for word in long
            for i in range(word.start(), word.end())
            for _ in normalize("NFD", word.string[i])
        ]
        both = sorted([*zip(offsets, words, strict=True), *counted])
        offsets, words = [offset for offset, _ in both], [word for _, word in both]
    return _WordPieces([start for start, _ in offsets], [end for _, end in offsets], words)


def _is_unknown(word: str) -> bool:
    """Say whether a word is one [UNK]: too long, with no character in it that would part it or be dropped."""
    return len(word) > _LONGEST_KNOWN and word.isalnum() and not _IDEOGRAPH.search(word)


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
    starts, ends, words = _word_pieces(block, tokenizer)
    start = first = 0  # the next piece's first character and word piece
    while True:
        limit = start + n_characters
        if len(starts) - first > budget:
            # Where several word pieces share a character, the next piece may begin where this one would still be.
            limit = min(limit, ends[first + budget - 1], max(starts[first + budget], start + 1))
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
        elif words and (words[(following := bisect_left(starts, limit, first)) - 1] or 0) >= len(block):
            start, first = limit, following  # a long word, counted by the character, may be cut at any
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
        ends = _word_pieces(part[:n_characters], tokenizer).ends
        if len(ends) <= budget:
            break
        # Several word pieces may share one character, so the end of the last that fits may be where we are.
        n_characters = max(1, min(ends[budget - 1], n_characters - 1))
    return n_characters
