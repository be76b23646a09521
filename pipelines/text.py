"""What a document's text is before anything splits it: one clean string, or nothing worth indexing.

Two questions that look alike: `is_blank` asks whether a string shows anything at all, `has_sentence` whether it does
once its document separators are taken away. `|||||` is not blank, and has no sentence.
"""

from __future__ import annotations

import re
from unicodedata import category

CLEANER_REVISION = 1
"""Part of the recipe of `documents`: raise it when `clean_text` answers differently for any text."""

SPLITTER_REVISION = 2
"""Part of the recipe of `sentences`: raise it when `split_sentences` or `split_to_window` answers differently. It
stands here, not in `sentences`, because the sync job reads it and has no sentencex to import."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]")
_BARS = re.compile(r"\|{5,}")
_NEWLINE_CHAR = "NEWLINE_CHAR"
_WORD = re.compile(r"\w")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})


def replace_surrogates(text: str) -> str:
    """Put U+FFFD for every lone surrogate, so that the text can be encoded; its length stays."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def clean_text(text: str | None) -> str:
    r"""Turn a source's text into what `documents.document` holds.

    Line ends become `\n` (CRLF, CR, vertical tab, form feed, the information separators, NEL), so that a file saved on
    another system is the same document; other control characters become a space, so that words stay apart; lone
    surrogates become U+FFFD. All else stays: no Unicode normalisation, no stripping, zero-width joiners kept.

    Args:
        text: Anything a text column can hold, None included.

    Returns:
        A string that encodes as UTF-8 and whose only control characters are tab and newline. Cleaning it again changes
        nothing.
    """
    if not text:
        return ""
    return _CONTROL.sub(" ", _LINE_END.sub("\n", replace_surrogates(text)))


def mask_separators(text: str) -> str:
    r"""Put `\n` for every character of a document separator; the text's length stays.

    Separators are what collections such as Multi-News put between articles, `|||||`, and for line ends, `NEWLINE_CHAR`.
    """
    if "|||||" in text:  # a search for a literal is 20 times faster than the regex
        text = _BARS.sub(lambda bars: "\n" * len(bars[0]), text)
    return text.replace(_NEWLINE_CHAR, "\n" * len(_NEWLINE_CHAR))


def is_blank(text: str) -> bool:
    """Say whether no character of a text is visible: only spaces, controls, format characters and surrogates.

    Stops at the first letter or digit; a text without one costs as much as finding its distinct characters.
    """
    if text.isascii() and text.isprintable():
        return not text or text.isspace()
    return not _WORD.search(text) and all(category(character) in _INVISIBLE for character in set(text))


def has_sentence(text: str | None) -> bool:
    """Say whether `split_sentences` finds anything in a text, without splitting it."""
    return text is not None and not is_blank(mask_separators(text))
