"""Any text, any id, any commit: each through the real tables, to the one outcome it is named with.

Two updates of the pipeline without its model: one over a table as it stands, one over commits that follow.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from local import update as updates
from pipelines.ids import doc_id
from pipelines.recipe import documents_recipe
from pipelines.rules import DOCUMENTS
from pipelines.settings import load_settings
from pipelines.text import mask_separators
from pipelines.winner import Head, winner
from tests.inputs import (
    CASES,
    COLUMNS,
    HUGE,
    KEPT,
    METADATA,
    PARAMETERS,
    QUARANTINED,
    REPAIRED,
    SCHEMA,
    SOURCE,
    WITHDRAWN,
    Case,
)
from tests.local.test_update import Heard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pyspark.sql import Row, SparkSession

pytestmark = pytest.mark.long
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
