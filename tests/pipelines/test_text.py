"""Cleaning: what a document's text becomes, and when it holds nothing."""

from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sentences import split_sentences
from pipelines.text import clean_text, has_sentence, is_blank, mask_separators, replace_surrogates

ANY_TEXT = st.text(st.characters() | st.sampled_from("\ud800\udfff\x00\r\n\v\x85\u200d\u00ad |"))
SEPARATED = st.lists(
    st.sampled_from(["|||||", "|", "NEWLINE_CHAR", "NEWLINE_", "a", " ", "\n", "\u200b", "\ud800", '"', "."])
)


@settings(deadline=None)
@given(ANY_TEXT)
def test_cleaned_text_encodes_has_no_control_but_tab_and_newline_and_stays(text: str) -> None:
    cleaned = clean_text(text)
    cleaned.encode()
    assert {c for c in cleaned if category(c) == "Cc"} <= {"\t", "\n"}
    assert clean_text(cleaned) == cleaned


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_text_without_controls_and_surrogates_is_kept_as_it_is(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (None, ""),
        ("", ""),
        ("a\r\nb\rc\n\rd", "a\nb\nc\n\nd"),
        ("page\fpage\x85next", "page\npage\nnext"),
        ("a\vb\x1cc\x1dd\x1ee", "a\nb\nc\nd\ne"),
        ("a\x00b\x1bc\x9fd", "a b c d"),
        ("a\ud800b", "a\ufffdb"),
        ("\ufeffman\u200dwoman \u00e9 e\u0301 <b>", "\ufeffman\u200dwoman \u00e9 e\u0301 <b>"),
    ],
)
def test_each_kind_of_dirt_has_one_answer(text: str | None, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@settings(deadline=None)
@given(ANY_TEXT)
def test_blank_means_that_every_character_is_invisible(text: str) -> None:
    invisible = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
    assert is_blank(text) == all(category(c) in invisible for c in text)


@pytest.mark.parametrize("text", ["", "\n" * 1_000_000, "\u200b\ufeff\u00ad", "\ud800", "\u3000\x00\t"])
def test_invisible_text_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", [".", "\ufffd", "\U0001f600", "\u0301", "_", "\n" * 1_000_000 + "a"])
def test_one_visible_character_is_enough(text: str) -> None:
    assert not is_blank(text)


@settings(deadline=None)
@given(ANY_TEXT | SEPARATED.map("".join))
def test_masks_keep_the_length(text: str) -> None:
    assert len(mask_separators(text)) == len(replace_surrogates(text)) == len(text)


@settings(deadline=None)
@given(SEPARATED.map("".join) | ANY_TEXT)
def test_a_text_has_a_sentence_exactly_when_splitting_finds_one(text: str) -> None:
    assert has_sentence(text) == bool(split_sentences(text))


@pytest.mark.parametrize("text", [None, "", "|||||", " ||||| NEWLINE_CHAR\n|||||||", "\u200b|||||\u200b"])
def test_separators_alone_are_no_sentence(text: str | None) -> None:
    assert not has_sentence(text)
