"""Text to sentences, each with the place it was found.

A separator or a line end always ends a sentence (`str.splitlines` says what a line end is); inside a line `sentencex`
decides. It reads a masked copy, every character of which stands for the one at the same place in the text:

- double quotes become spaces, for sentencex never cuts inside a quotation, and a quotation may hold many sentences;
- separators become newlines;
- white space beyond ASCII becomes spaces: between an initial and a full stop (`B`, U+00A0, `.`) sentencex 1.0.32 cuts
  a character in two and panics;
- lone surrogates, which Rust cannot hold, become U+FFFD.

A gap that sentencex leaves behind a full stop may hold masked quotes. A closing quote touches what it closes and an
opening quote what it opens, so the cut falls on the first true white space of the gap.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import sentencex  # type: ignore[import-untyped]  # the package ships no types

from pipelines.text import is_blank, mask_separators, replace_surrogates

# sentencex compares every boundary of a paragraph with every quotation in it (on 64,000 characters of `'a'. ` that is
# 8 times slower a character than on 4,000), so longer lines go to it in blocks: smaller ones where sentences are many.
_BLOCK = 4096
_SMALL_BLOCK = 512
_MANY = 256

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_DOUBLE_QUOTES = '"\u201c\u201d\u201e\u201f\uff02'
_WIDE_SPACES = "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_SPACE = re.compile(r"\s")


class Sentence(NamedTuple):  # made in a third of the time that a frozen dataclass takes
    """A piece of a document.

    Attributes:
        text: The piece, exactly as the document has it: `document[start:end]`.
        start: Where it begins in the document, in code points.
        end: Where it ends, exclusive.
    """

    text: str
    start: int
    end: int


def split_sentences(text: str | None) -> list[Sentence]:
    """Split a document into its sentences.

    Args:
        text: The document; None, blank text and control characters are fine.

    Returns:
        Sentences in order, not overlapping, without white space around them, none blank. Every visible character
        outside separators is in one of them.
    """
    if not text:
        return []
    masked = _mask(text)
    sentences: list[Sentence] = []
    for line in _LINE.finditer(masked):
        start = reached = line.start()
        for part in _parts(line[0]):
            reached += len(part)
            end = reached
            if part[-2:].isspace() and reached < line.end():
                # More than one space behind the part: quotes may hide in the gap.
                space = _SPACE.search(text, reached - len(part) + len(part.rstrip()), reached)
                end = space.start() if space else reached
            piece = text[start:end].lstrip()
            start, first = end, end - len(piece)
            piece = piece.rstrip()
            if not is_blank(piece):
                sentences.append(Sentence(piece, first, first + len(piece)))
    return sentences


def _mask(text: str) -> str:
    """Make the copy that sentencex reads; it has the length of the text."""
    masked = mask_separators(replace_surrogates(text))
    # Many `replace` of what is rarely there are faster than one regex.
    for character in '"' if masked.isascii() else _DOUBLE_QUOTES + _WIDE_SPACES:
        masked = masked.replace(character, " ")
    return masked


def _parts(line: str) -> list[str]:
    """Let sentencex cut a masked line into parts that make it up again; a long line goes to it in blocks.

    A block's last part may be unfinished, so the next block begins with it, unless it fills half of its block: then it
    ends at a space. So every character is read at most twice.
    """
    if len(line) == 1 or line.isalnum():  # one word; a megabyte of such lines would spend its time on asking
        return [line]
    parts: list[str] = []
    start, size = 0, _BLOCK
    while len(line) - start > size:
        *whole, last = sentencex.segment("en", line[start : start + size])
        if len(last) > size // 2:
            space = last.rfind(" ", len(last) // 2)
            whole.append(last if space < 0 else last[:space])
        parts += whole
        start += sum(map(len, whole))
        size = _SMALL_BLOCK if len(whole) * _BLOCK > _MANY * size else _BLOCK
    parts += sentencex.segment("en", line[start:])
    return parts
