"""Rows of a source, each named with what is odd about it, and what must become of it."""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "inputs"
SOURCE = f"{SCHEMA}.articles"
COLUMNS = (
    "id BINARY, text BINARY, title STRING, nested STRUCT<a: INT, b: MAP<STRING, INT>>, tags ARRAY<STRING>, "
    "marks ARRAY<INT>, price DECIMAL(9, 2), day DATE, at TIMESTAMP, flag BOOLEAN"
)
METADATA = ("title", "nested", "tags", "marks", "price", "day", "at", "flag")
PARAMETERS = {"schema": SCHEMA, "source_table": SOURCE, "metadata_columns": ",".join(METADATA)}

KEPT, REPAIRED, WITHDRAWN, QUARANTINED = "kept", "repaired", "withdrawn", "quarantined"
BINARY = "\ufffd" * 60
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
NOISE = base64.b64encode(random.Random(0).randbytes(75_000)).decode()  # noqa: S311  # noise, no secret
HUGE = 100_000  # characters; longer texts are deleted in the second update


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the source and what must become of it."""

    name: str
    text: str | bytes | None
    outcome: str
    document: str | None = None
    """What a repaired text is; a kept one is as it came."""
    sentences: tuple[str, ...] | None = None
    """What it is split into; None where it would not fit in here."""
    source_id: str | bytes | None = ""
    """The row's id; the name where empty."""
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Values of its metadata columns, NULL where missing."""
    metadata: str = "{}"
    reasons: tuple[str, ...] = ()

    @property
    def id_bytes(self) -> bytes | None:
        return as_bytes(self.name if self.source_id == "" else self.source_id)

    @property
    def text_bytes(self) -> bytes | None:
        return as_bytes(self.text)


def as_bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def kept(name: str, text: str, *sentences: str, **more: Any) -> Case:
    return Case(name, text, KEPT, text, sentences or None, **more)


def repaired(name: str, text: str | bytes, document: str, *sentences: str) -> Case:
    return Case(name, text, REPAIRED, document, sentences)


CASES = (
    Case("NULL text", None, WITHDRAWN),
    Case("empty text", "", WITHDRAWN),
    Case("blank text", " \t\n\u3000\u200b\ufeff", WITHDRAWN),
    Case("separators alone", " ||||| \n|||||| NEWLINE_CHAR ", WITHDRAWN),
    Case("a megabyte of newlines", "\n" * 1_000_000, WITHDRAWN),
    Case("NULL id", "A text.", QUARANTINED, source_id=None, reasons=("id_is_present",)),
    Case("empty id", "A text.", QUARANTINED, source_id=b"", reasons=("id_is_present",)),
    Case("blank id", "A text.", QUARANTINED, source_id=" \t", reasons=("id_is_present",)),
    Case("NULL id, NULL text", None, QUARANTINED, source_id=None, reasons=("id_is_present",)),
    Case("binary", b"\x89PNG" + bytes(range(128, 256)), QUARANTINED, reasons=("text_is_readable",)),
    Case("a tenth and more unreadable", "\ufffd" * 11 + "x" * 89, QUARANTINED, reasons=("text_is_readable",)),
    kept("a tenth unreadable", "\ufffd" * 10 + "x" * 90, "\ufffd" * 10 + "x" * 90),
    Case(
        "metadata of 30 KB in two-byte letters",
        "A text.",
        QUARANTINED,
        columns={"title": "\u00e9" * 15_360},
        reasons=("metadata_is_under_30_kb",),
    ),
    kept(
        "metadata just under 30 KB",
        "A text.",
        "A text.",
        columns={"title": "x" * (30_719 - len('{"title":""}metadata just under 30 KB'))},
        metadata='{"title":"' + "x" * (30_719 - len('{"title":""}metadata just under 30 KB')) + '"}',
    ),
    Case("an id of 31 KB", "A text.", QUARANTINED, source_id="i" * 31_000, reasons=("metadata_is_under_30_kb",)),
    Case(
        "metadata over 40 KB",
        "A text.",
        QUARANTINED,
        columns={"title": "x" * 41 * 1024},
        reasons=("metadata_is_under_30_kb",),
    ),
    kept("an id of 5 KB", "A text.", "A text.", source_id="i" * 5_000),
    kept("an id that is not ASCII", "A text.", "A text.", source_id="Z\u00fcrich/\u6771\u4eac \U0001f600"),
    Case("an id that is not UTF-8", "A text.", REPAIRED, "A text.", ("A text.",), b"caf\xe9"),
    repaired(
        "lone surrogates",
        b"One without a name, \xed\xa0\x80, and two. Then three.",
        "One without a name, \ufffd\ufffd\ufffd, and two. Then three.",
        "One without a name, \ufffd\ufffd\ufffd, and two.",
        "Then three.",
    ),
    repaired(
        "NUL and controls",
        "One\x00here. Two\x1bthere.\x07 Three,\x9ftoo.",
        "One here. Two there.  Three, too.",
        "One here.",
        "Two there.",
        "Three, too.",
    ),
    repaired(
        "line ends of other systems",
        "One\r\ntwo\rthree\x85four\ffive",
        "One\ntwo\nthree\nfour\nfive",
        "One",
        "two",
        "three",
        "four",
        "five",
    ),
    repaired(
        "invalid UTF-8",
        b"A caf\xe9 in the old town. It was shut.",
        "A caf\ufffd in the old town. It was shut.",
        "A caf\ufffd in the old town.",
        "It was shut.",
    ),
    kept(
        "mojibake",
        "It\u00e2\u20ac\u2122s late. It\u00e2\u20ac\u2122s dark.",
        "It\u00e2\u20ac\u2122s late.",
        "It\u00e2\u20ac\u2122s dark.",
    ),
    kept("HTML", "<p>One &amp; two.</p> <p>Three.</p>", "<p>One &amp; two.", "</p> <p>Three.", "</p>"),
    kept(
        "quotes",
        'He said: "One. Two." \u201cThree. Four.\u201d \u00abFive.\u00bb \u2018Six.\u2019 It\'s seven.',
        'He said: "One.',
        'Two."',
        "\u201cThree.",
        "Four.\u201d",
        "\u00abFive.\u00bb",
        "\u2018Six.\u2019",
        "It's seven.",
    ),
    kept(
        "Chinese",
        "\u4eca\u5929\u4e0b\u96e8\u3002\u660e\u5929\u5462\uff1f\u4e0d\u77e5\u9053\u3002",
        "\u4eca\u5929\u4e0b\u96e8\u3002",
        "\u660e\u5929\u5462\uff1f",
        "\u4e0d\u77e5\u9053\u3002",
    ),
    kept(
        "right to left",
        "\u05e9\u05dc\u05d5\u05dd. \u05de\u05d4 \u05e9\u05dc\u05d5\u05de\u05da?",
        "\u05e9\u05dc\u05d5\u05dd.",
        "\u05de\u05d4 \u05e9\u05dc\u05d5\u05de\u05da?",
    ),
    kept("combining marks", "Cafe\u0301 au lait. Nai\u0308ve.", "Cafe\u0301 au lait.", "Nai\u0308ve."),
    kept("emoji with joiners", f"A family {FAMILY}. Done \U0001f600!", f"A family {FAMILY}.", "Done \U0001f600!"),
    kept(
        "URLs", "See https://example.com/a.b?c=d.e#f. Then stop.", "See https://example.com/a.b?c=d.e#f.", "Then stop."
    ),
    kept(
        "decimals",
        "It rose 3.5 % to 1,234.56 points. Then it fell.",
        "It rose 3.5 % to 1,234.56 points.",
        "Then it fell.",
    ),
    kept(
        "abbreviations",
        "Dr. Smith met Mr. J. Doe at 5 p.m. They left.",
        "Dr. Smith met Mr. J. Doe at 5 p.m.",
        "They left.",
    ),
    kept("separators", "One.|||||Two. NEWLINE_CHAR NEWLINE_CHAR Three ||||||", "One.", "Two.", "Three"),
    kept("a megabyte of dots", "." * 1_000_000),
    kept("a megabyte of brackets", "()[]{}<>" * 125_000),
    kept("base64", NOISE),
    kept("five megabytes without punctuation", "word " * 1_000_000),
    kept("a sentence of 10,000 words", "word " * 10_000 + "end."),
    kept(
        "metadata",
        "A text.",
        "A text.",
        columns={
            "title": "T",
            "nested": {"a": 1, "b": {"k": 2}},
            "tags": ["x", None, "y"],
            "marks": [1, 2],
            "price": Decimal("12.50"),
            "day": date(1970, 1, 2),
            "at": datetime(2026, 1, 1, 12, tzinfo=UTC),
            "flag": True,
        },
        metadata='{"title":"T","nested":"{\\"a\\":1,\\"b\\":{\\"k\\":2}}","tags":["x","y"],"marks":["1","2"],"price":12.5,"day":86400,"at":1767268800,"flag":true}',
    ),
    kept("edited", "It was this.", "It was this."),
    kept("old name", "Keeps its text.", "Keeps its text."),
    kept("turns", "Valid at first.", "Valid at first."),
)
