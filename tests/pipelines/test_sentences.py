"""Splitting: offsets that hold, boundaries that are right, and input that tries to break it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import sentences
from pipelines.sentences import split_sentences
from pipelines.text import is_blank, mask_separators

if TYPE_CHECKING:
    from collections.abc import Iterator

SEGMENTATION = Path(__file__).parents[2].parent / "shared" / "data" / "segmentation"

# What separates, what sentencex decides about, and what it stumbles over.
PARTS = st.lists(
    st.sampled_from(
        ["|||||", "NEWLINE_CHAR", "\n", "\r\n", "\u2028", "\v", "\0", "\ud800", "\u00a0", "\u3000", "\t", " "]
    )
    | st.sampled_from(
        [". ", ".", "! ", "?", "a", "B", "J.", "Mr. ", "e.g. ", "[1]", "1.", "@", "Yahoo!", "\u3002", "\u00e9"]
    )
    | st.sampled_from(["(", ")", "'", '"', "\u201c", "\u201d", "\u00ab", "\u00bb"])
    | st.text(max_size=3),
    max_size=60,
).map("".join)


def texts(document: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(document)]


@settings(max_examples=300, deadline=None)
@given(PARTS)
def test_sentences_are_where_they_say_in_order_and_hold_every_visible_character(document: str) -> None:
    split = split_sentences(document)
    reached = 0
    for sentence in split:
        assert sentence.text == document[sentence.start : sentence.end] == sentence.text.strip()
        assert not is_blank(sentence.text)
        assert is_blank(mask_separators(document)[reached : sentence.start])
        assert sentence.start >= reached
        reached = sentence.end
    assert is_blank(mask_separators(document)[reached:])


@settings(deadline=None)
@given(PARTS)
def test_no_sentence_crosses_a_separator_or_a_line_end(document: str) -> None:
    for sentence in split_sentences(document):
        masked = mask_separators(document)[sentence.start : sentence.end]
        assert len(masked.splitlines()) == 1


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (None, []),
        ("", []),
        (" \n|||||\n NEWLINE_CHAR", []),
        ("One. Two", ["One.", "Two"]),
        ("Mr. Smith went, e.g. home. He did.", ["Mr. Smith went, e.g. home.", "He did."]),
        ("One|||||two||||||three NEWLINE_CHAR four\nfive\r\nsix", ["One", "two", "three", "four", "five", "six"]),
        ('He said: "One. Two." Then left.', ['He said: "One.', 'Two."', "Then left."]),
        ('He left. "One." She: \u201cTwo.\u201d End.', ["He left.", '"One."', "She: \u201cTwo.\u201d", "End."]),
        ("Plan B\u00a0. Next. One", ["Plan B\u00a0.", "Next.", "One"]),
        ("a\ud800. B", ["a\ud800.", "B"]),
    ],
)
def test_examples(document: str | None, expected: list[str]) -> None:
    assert [sentence.text for sentence in split_sentences(document)] == expected


def test_a_line_longer_than_a_block_is_split_as_its_sentences_are() -> None:
    short = [f'Sentence number {i} says "yes. No." and (perhaps) ends here.' for i in range(300)]
    line = " ".join(short)
    assert len(line) > 2 * sentences._BLOCK
    assert texts(line) == texts("\n".join(short))


@pytest.mark.parametrize(
    "unit",
    [
        ".",
        "(",
        "[]",
        '"',
        "\n",
        "QUJDREVGR0hJSktM",
        "word ",
        "\x00",
        "\ud800",
        "\u00aba. ",
        "' ",
        "'a'. ",
        "A.\u3000",
        "|",
    ],
)
def test_a_megabyte_of_one_thing_is_split_block_by_block(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    segment = sentences.sentencex.segment

    def counting(language: str, text: str) -> list[str]:
        read.append(len(text))
        return segment(language, text)

    monkeypatch.setattr(sentences.sentencex, "segment", counting)
    document = unit * (1_000_000 // len(unit))
    split = split_sentences(document)
    assert is_blank(mask_separators(document)) == (not split)
    assert max(read, default=0) <= sentences._BLOCK
    assert sum(read) <= 2.1 * len(document)


def test_five_megabytes_without_punctuation_lose_no_word() -> None:
    document = "word " * 1_000_000
    assert sum(sentence.text.count("word") for sentence in split_sentences(document)) == 1_000_000


@pytest.mark.skipif(not SEGMENTATION.is_dir(), reason="needs shared/data beside the repository")
@pytest.mark.parametrize(("name", "least"), [("en_ewt-ud-dev", 91.5), ("en_gum-ud-dev", 97.8)])
def test_boundaries_agree_with_people(name: str, least: float) -> None:
    n_right = n_found = n_gold = 0
    for document, gold in gold_documents(SEGMENTATION / f"{name}.conllu"):
        found = {n_visible(document[: sentence.end]) for sentence in split_sentences(document)}
        n_right, n_found, n_gold = n_right + len(found & gold), n_found + len(found), n_gold + len(gold)
    assert 200 * n_right / (n_found + n_gold) >= least


def n_visible(text: str) -> int:
    return len("".join(text.split()))


def gold_documents(path: Path) -> Iterator[tuple[str, set[int]]]:
    """Rebuild each document of a CoNLL-U file, with its sentence ends in non-white-space characters."""
    for block in path.read_text(encoding="utf-8").split("# newdoc")[1:]:
        document, ends = "", set()
        for sentence in block.split("\n\n"):
            lines = sentence.splitlines()
            text = next((line[len("# text = ") :] for line in lines if line.startswith("# text = ")), None)
            if text is None:
                continue
            if document and any(line.startswith("# newpar") for line in lines):
                document += "\n\n"
            document += text
            ends.add(n_visible(document))
            if "SpaceAfter=No" not in lines[-1]:
                document += " "
        yield document, ends
