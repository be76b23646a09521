"""The window of tokenizers that are no WordPiece: every piece fits, nothing visible is lost."""

from __future__ import annotations

from functools import cache
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from pipelines.sentences import Sentence
from pipelines.text import is_blank, replace_surrogates
from pipelines.window import split_to_window
from tests.pipelines.models import sentence_pieces
from tests.pipelines.test_window import LONG_TEXT, PROSE

if TYPE_CHECKING:
    from collections.abc import Callable


@cache
def unigram() -> Tokenizer:
    return sentence_pieces()


@cache
def byte_pairs() -> Tokenizer:
    """Train one as RoBERTa's, for which a word with a space before it is another."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([" ".join(topics.values())[:200_000]], trainer)
    return tokenizer


def check(text: str, tokenizer: Tokenizer, max_tokens: int) -> list[Sentence]:
    """Split a text that stands 7 characters into its document, and check what must hold for any."""
    pieces = split_to_window(Sentence(text, 7, 7 + len(text)), tokenizer, max_tokens)
    reached = 0
    for piece in pieces:
        assert piece.text == text[piece.start - 7 : piece.end - 7]
        assert len(piece.text) == 1 or len(tokenizer.encode(replace_surrogates(piece.text)).ids) <= max_tokens
        assert is_blank(text[reached : piece.start - 7])
        reached = piece.end - 7
    assert is_blank(text[reached:])
    return pieces


@pytest.mark.parametrize("tokenizer", [unigram, byte_pairs])
@settings(max_examples=60, deadline=None)
@given(text=LONG_TEXT)
def test_pieces_fit_are_where_they_say_and_lose_nothing_visible(tokenizer: Callable[[], Tokenizer], text: str) -> None:
    for max_tokens in (8, 64):
        check(text, tokenizer(), max_tokens)


@pytest.mark.parametrize("tokenizer", [unigram, byte_pairs])
def test_prose_is_cut_at_clause_ends_and_keeps_every_word(tokenizer: Callable[[], Tokenizer]) -> None:
    text = PROSE[:20_000]
    pieces = check(text, tokenizer(), 256)
    assert " ".join(piece.text for piece in pieces).split() == text.split()
    assert sum(piece.text[-1] in ",;:.!?)]" for piece in pieces[:-1]) >= 0.9 * (len(pieces) - 1)
    assert len(pieces) <= 3 * len(tokenizer().encode(text).ids) / 256


def test_what_fits_is_one_piece() -> None:
    sentence = Sentence("A short one.", 3, 15)
    assert split_to_window(sentence, unigram()) == [sentence]
