"""The window: every piece fits the model, nothing visible is lost."""

from __future__ import annotations

from pydoc_data.topics import topics
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sentences import Sentence
from pipelines.text import is_blank, replace_surrogates
from pipelines.tokenizer import load_tokenizer
from pipelines.weights import model_folder
from pipelines.window import split_to_window

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER = load_tokenizer(model_folder())
PROSE = " ".join(" ".join(topics.values()).split())

LONG_TEXT = st.lists(
    st.sampled_from(
        [
            "word ",
            "unbelievably",
            ", ",
            ". ",
            "\ud55c\uae00",
            "\u6f22",
            "x" * 150,
            " ",
            "\u200b",
            "\ud800",
            "e\u0301",
            "-",
        ]
    )
    | st.text(max_size=5),
    max_size=30,
).map(lambda parts: "".join(parts) * 7)


def check(text: str, max_tokens: int) -> list[Sentence]:
    """Split a text that stands 7 characters into its document, and check what must hold for any."""
    pieces = split_to_window(Sentence(text, 7, 7 + len(text)), TOKENIZER, max_tokens)
    reached = 0
    for piece in pieces:
        assert piece.text == text[piece.start - 7 : piece.end - 7]
        assert len(TOKENIZER.encode(replace_surrogates(piece.text)).ids) <= max_tokens
        assert piece.start - 7 >= reached
        assert not is_blank(piece.text) or pieces == [Sentence(text, 7, 7 + len(text))]
        assert is_blank(text[reached : piece.start - 7])
        reached = piece.end - 7
    assert is_blank(text[reached:])
    return pieces


@settings(max_examples=150, deadline=None)
@given(LONG_TEXT, st.sampled_from([8, 16, 64, 256]))
def test_pieces_fit_are_where_they_say_and_lose_nothing_visible(text: str, max_tokens: int) -> None:
    check(text, max_tokens)


@pytest.mark.parametrize("control", ["\x85", "\v", "\x1f"])
def test_a_control_character_that_the_tokenizer_drops_parts_no_words(control: str) -> None:
    # Without it the two words are one, which is one [UNK]; apart they are two word pieces.
    check(f"{control}word word word word word word \ufb03" * 7, 8)


def test_a_sentence_that_fits_is_itself() -> None:
    sentence = Sentence(" ".join(["word"] * 254), 3, 1272)
    assert split_to_window(sentence, TOKENIZER) == [sentence]
    assert len(split_to_window(Sentence(sentence.text + " word", 3, 1277), TOKENIZER)) == 2


def test_prose_is_cut_at_clause_ends_and_keeps_every_word() -> None:
    text = PROSE[:50_000]
    pieces = check(text, 256)
    assert " ".join(piece.text for piece in pieces).split() == text.split()
    assert sum(piece.text[-1] in ",;:.!?)]" for piece in pieces[:-1]) >= 0.9 * len(pieces)
    assert len(pieces) < 2 * len(TOKENIZER.encode(text).ids) / 256


def test_a_word_too_long_for_word_pieces_stays_one_unknown_token_but_not_one_record() -> None:
    pieces = check("QUJDREVGR0hJ" * 20_000, 256)
    assert max(len(piece.text) for piece in pieces) == 8 * 256
    assert TOKENIZER.encode(pieces[0].text).tokens == ["[CLS]", "[UNK]", "[SEP]"]


def test_a_syllable_that_is_several_word_pieces_is_counted_as_such() -> None:
    check(" ".join(["\ud55c" * 30] * 300), 256)


def test_ideographs_are_cut_at_their_own_clause_ends() -> None:
    pieces = check("\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\uff0c" * 300, 256)
    assert {piece.text[-1] for piece in pieces} == {"\uff0c"}


def test_words_parted_by_hyphens_are_cut_there_and_not_inside() -> None:
    pieces = check("-".join(["abcdefghij" * 3] * 100), 256)
    assert {piece.text.strip("-") for piece in pieces} == {
        "-".join(["abcdefghij" * 3] * 8),
        "-".join(["abcdefghij" * 3] * 4),
    }


def test_a_cut_falls_on_white_space_where_no_clause_ends() -> None:
    words = [f"word{number}" for number in range(1_000)]
    assert " ".join(piece.text for piece in check(" ".join(words), 256)).split() == words


class Reading:
    """The tokenizer, and all it was given to read."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.model = TOKENIZER.model

    def num_special_tokens_to_add(self, *, is_pair: bool) -> int:
        return TOKENIZER.num_special_tokens_to_add(is_pair)

    def encode(self, block: str, *, add_special_tokens: bool) -> object:
        self.blocks.append(block)
        return TOKENIZER.encode(block, add_special_tokens=add_special_tokens)


def read(text: str) -> list[str]:
    reading = Reading()
    tokenizer: Tokenizer = reading  # type: ignore[assignment]
    split_to_window(Sentence(text, 0, len(text)), tokenizer)
    return reading.blocks


@pytest.mark.parametrize(
    ("text", "most"),
    [
        pytest.param(PROSE, 1.7, id="prose"),
        pytest.param("\u6f22\u5b57" * 25_000, 1.7, id="ideographs"),
        pytest.param("word " * 40_000, 1.7, id="words"),
        pytest.param("a" * 200_000, 3.1, id="one word"),  # cut inside an [UNK], so each piece is read again
        pytest.param(".,()" * 50_000, 0.01, id="punctuation"),
    ],
)
def test_the_tokenizer_reads_a_long_sentence_about_once(text: str, most: float) -> None:
    assert sum(map(len, read(text))) <= most * len(text)


def test_a_short_sentence_is_not_tokenised() -> None:
    assert read("a" * 254) == []
    assert read("\ud55c\uae00 " * 40) != []  # 280 characters when decomposed


def test_words_whose_word_pieces_take_long_to_find_are_counted_without_looking() -> None:
    text = ",".join(["abc" * 11, "def" * 33, "\u0436" * 60, "\ud55c" * 33, "a\u200d" * 40, "\u0915\u093e" * 48] * 500)
    check(text, 256)
    assert set("".join(read(text))) == {" ", ","}
