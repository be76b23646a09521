"""Any text, any id, any commit: each through the real tables, to the one outcome it is named with.

Two updates of the pipeline without its model: one over a table as it stands, one over commits that follow.
"""

from __future__ import annotations

import base64
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from local import update as updates
from pipelines.ids import doc_id
from pipelines.recipe import documents_recipe
from pipelines.rules import DOCUMENTS
from pipelines.settings import load_settings
from pipelines.text import mask_separators
from pipelines.winner import Head, winner
from tests.local.test_update import Heard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pyspark.sql import Row, SparkSession

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

# What happens to the table afterwards, one commit each; and what the rows of a document come to, in order.
COMMITS = (
    f"DELETE FROM {SOURCE} WHERE length(text) > {HUGE}",  # a whole file: no change of it is written anywhere
    f"INSERT INTO {SOURCE} (id, text) VALUES ('twice', 'One text.'), ('twice', 'Another text.')",
    f"UPDATE {SOURCE} SET text = 'Now it is that.' WHERE id = 'edited'",
    f"UPDATE {SOURCE} SET id = 'new name' WHERE id = 'old name'",
    f"UPDATE {SOURCE} SET text = repeat('\ufffd', 60) WHERE id = 'turns'",
    f"UPDATE {SOURCE} SET text = 'Valid again.' WHERE id = 'turns'",
    f"DELETE FROM {SOURCE} WHERE id IN ('turns', 'binary')",
    f"INSERT OVERWRITE {SOURCE} SELECT * FROM {SOURCE}",
)
OVERWRITTEN = (WITHDRAWN, KEPT)
HISTORIES: Mapping[str, tuple[tuple[str, ...], str | None]] = {
    "a megabyte of dots": ((KEPT, WITHDRAWN), None),
    "edited": ((KEPT, WITHDRAWN, KEPT, *OVERWRITTEN), "Now it is that."),
    "old name": ((KEPT, WITHDRAWN), None),
    "new name": ((KEPT, *OVERWRITTEN), "Keeps its text."),
    "turns": ((KEPT, WITHDRAWN, QUARANTINED, WITHDRAWN, KEPT, WITHDRAWN), None),
    "binary": ((QUARANTINED, WITHDRAWN), None),
    "NULL text": ((WITHDRAWN, WITHDRAWN, WITHDRAWN), None),
    "metadata over 40 KB": ((QUARANTINED, WITHDRAWN, QUARANTINED), None),
    # A fault of the source: one of the two, never a mix.
    "twice": ((KEPT, KEPT, WITHDRAWN, WITHDRAWN, KEPT, KEPT), "One text."),
}


@dataclass(frozen=True, slots=True)
class Tables:
    """What the pipeline made of the source so far."""

    counts: Mapping[str, int]  # of the last update
    documents: Sequence[Row]
    quarantine: Sequence[Row]  # id and text as bytes
    sentences: Mapping[tuple[str, int, str], list[str]]  # by doc_id, version and document_hash

    def history(self, source_id: str) -> list[str]:
        """Say what became of each raw row of a document, version by version."""
        rows = [row for row in self.documents if row.source_id == source_id]
        refused = Counter(row.source_version for row in self.quarantine if row.id == source_id.encode())
        outcomes = []
        for version in sorted({row.version for row in rows}):
            n_deleted, n_refused = sum(row.deleted for row in rows if row.version == version), refused[version]
            n_live = sum(not row.deleted for row in rows if row.version == version)
            outcomes += [WITHDRAWN] * (n_deleted - n_refused) + [QUARANTINED] * n_refused + [KEPT] * n_live
        return outcomes


def look(spark: SparkSession, done: updates.Update) -> Tables:
    sentences: dict[tuple[str, int, str], list[str]] = {}
    for row in spark.table(f"{SCHEMA}.sentences").where("NOT deleted").orderBy("ordinal").collect():
        sentences.setdefault((row.doc_id, row.version, row.document_hash), []).append(row.sentence)
    quarantine = spark.table(f"{SCHEMA}.documents_quarantine").selectExpr(
        "CAST(id AS BINARY) AS id", "CAST(text AS BINARY) AS text", "reasons", "source_version"
    )
    return Tables(done.counts, spark.table(f"{SCHEMA}.documents").collect(), quarantine.collect(), sentences)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inputs")


@pytest.fixture(scope="module")
def first(spark: SparkSession, storage: Path) -> Tables:
    rows = [(case.id_bytes, case.text_bytes, *map(case.columns.get, METADATA)) for case in CASES]
    frame = spark.createDataFrame(rows, COLUMNS).selectExpr(
        "* EXCEPT (id, text)", "CAST(id AS STRING) AS id", "CAST(text AS STRING) AS text"
    )
    spark.sql(f"CREATE SCHEMA {SCHEMA}")
    frame.where("1 = 0").write.option("delta.enableChangeDataFeed", "true").saveAsTable(SOURCE)
    for size in (f"> {HUGE}", f"<= {HUGE} OR text IS NULL"):
        frame.where(f"length(text) {size}").write.insertInto(SOURCE)
    return look(spark, update_without_model(spark, storage))


@pytest.fixture(scope="module")
def second(first: Tables, spark: SparkSession, storage: Path) -> Tables:
    assert first
    for statement in COMMITS:
        spark.sql(statement)
    return look(spark, update_without_model(spark, storage))


def update_without_model(spark: SparkSession, storage: Path) -> updates.Update:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(updates, "PIPELINE_NOTEBOOKS", ("bronze", "silver"))
        return updates.update(spark, PARAMETERS, storage, Heard())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_input_has_its_outcome(first: Tables, case: Case) -> None:
    source_id = case.id_bytes and case.id_bytes.decode(errors="replace")
    rows = [row for row in first.documents if row.source_id == source_id]
    refused = [row.reasons for row in first.quarantine if (row.id, row.text) == (case.id_bytes, case.text_bytes)]
    assert refused == ([list(case.reasons)] if case.outcome == QUARANTINED else [])
    if case.outcome in (KEPT, REPAIRED):
        (row,) = rows
        assert (row.document, row.metadata, row.deleted) == (case.document, case.metadata, False)
        assert row.doc_id == doc_id(row.source_id)
        found = first.sentences[row.doc_id, row.version, row.document_hash]
        assert case.sentences is None or found == list(case.sentences)
        assert visible("".join(found)) == visible(mask_separators(row.document))
    else:
        # What stood there before leaves; without an id nobody can say what that was.
        has_id = "id_is_present" not in case.reasons
        assert [(row.deleted, row.document, row.metadata) for row in rows] == [(True, None, None)] * has_id


def visible(text: str) -> str:
    return "".join(text.split())


def test_kept_withdrawn_and_quarantined_make_up_what_was_read(first: Tables) -> None:
    n = Counter(case.outcome for case in CASES)
    counts = [first.counts[f"documents.n_{what}"] for what in ("read", KEPT, WITHDRAWN, QUARANTINED)]
    assert counts == [len(CASES), n[KEPT] + n[REPAIRED], n[WITHDRAWN], n[QUARANTINED]]
    assert sum(counts[1:]) == counts[0]


def test_every_rule_refuses_an_input() -> None:
    reasons = {reason for case in CASES for reason in case.reasons}
    assert reasons == DOCUMENTS.keys() - {"version_is_present"}  # a change feed always has one


@pytest.mark.parametrize("source_id", HISTORIES)
def test_every_commit_leaves_what_it_says(second: Tables, source_id: str) -> None:
    outcomes, text = HISTORIES[source_id]
    assert second.history(source_id) == list(outcomes)
    rows = {
        Head(row.doc_id, row.source_epoch, row.version, row.deleted, row.recipe, row.document_hash, 0, 0): row
        for row in second.documents
        if row.source_id == source_id
    }
    won = rows[winner(rows, documents_recipe(load_settings(PARAMETERS)))]
    assert won.document == text
    if text is not None:
        assert second.sentences[won.doc_id, won.version, won.document_hash] == [text]


def test_no_row_of_any_commit_is_lost(first: Tables, second: Tables, spark: SparkSession) -> None:
    counts = [second.counts[f"documents.n_{what}"] for what in ("read", KEPT, WITHDRAWN, QUARANTINED)]
    assert sum(counts[1:]) == counts[0]
    assert first.counts["documents.n_read"] + counts[0] == spark.table(f"{SCHEMA}.raw").count()
    assert counts[0] == spark.sql(f"SELECT * FROM table_changes('{SOURCE}', 3)").count()
