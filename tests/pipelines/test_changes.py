"""What became of each document: a table of cases, and the numbers that the guard reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.changes import NOTHING, Summary, summarise, to_changes
from pipelines.form import Holding
from pipelines.ids import TOMBSTONE_HASH
from pipelines.state_tables import INDEX_STATE
from pipelines.status import Held, status
from pipelines.winner import Head

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

HEADS_SCHEMA = (
    "doc_id STRING, source_epoch INT, version BIGINT, deleted BOOLEAN, recipe STRING, document_hash STRING, "
    "source_id STRING, model STRING, changed_at TIMESTAMP, n_sentences INT, n_rows BIGINT, n_tied BIGINT"
)


@dataclass(frozen=True, slots=True)
class Case:
    """One document, described in words."""

    name: str
    status: str
    head: str = "live"  # live, tombstone or none
    held: str = "same"  # same, other, unknown (NULL hash), deleted or none
    in_source: bool = True
    recipe: str = "r"  # of the head; "r" is the current one
    held_recipe: str = "r"
    n_rows: int = 2  # of two
    n_held: int = 2
    n_tied: int = 1
    forgotten: bool = False

    def head_row(self) -> list[tuple[Any, ...]]:
        if self.head == "none":
            return []
        dead = self.head == "tombstone"
        content = (
            (TOMBSTONE_HASH, self.name, None, None, 0, 0) if dead else ("hash", self.name, "m", None, 2, self.n_rows)
        )
        return [(self.name, 0, 7, dead, self.recipe, *content, self.n_tied)]

    def held_row(self) -> list[dict[str, Any]]:
        if self.held == "none":
            return []
        hashes = {"same": "hash", "other": "before", "unknown": None, "deleted": TOMBSTONE_HASH, "deleting": None}
        row = dict.fromkeys(INDEX_STATE.columns)
        deleted = self.held in ("deleted", "deleting")
        room: list[str | None] = [] if self.held == "deleted" else ["p"] * self.n_held
        if self.held == "unknown":
            room[-1] = None
        return [
            row
            | {"doc_id": self.name, "source_id": self.name, "version": 3, "document_hash": hashes[self.held]}
            | {
                "recipe": self.held_recipe,
                "model": None if deleted else "m",
                "deleted": deleted,
                "payload_hashes": room,
            }
        ]


CASES = [
    Case("live and as held", "same"),
    Case("live and new", "write", held="none"),
    Case("live and changed", "write", held="other"),
    Case("live and shorter than held", "write", held="other", n_held=5),
    Case("live and left half-done", "write", held="unknown"),
    Case("live again after a delete", "write", held="deleted"),
    Case("live with the same text under another recipe", "write", held_recipe="old"),
    Case("live of an old recipe", "pending", recipe="old", held_recipe="old"),
    Case("live, new and of an old recipe", "pending", held="none", recipe="old"),
    Case("live with rows missing", "pending", held="other", n_rows=1),
    Case("live with two texts", "write", held="other", n_tied=2),
    Case("live, but gone from the source", "delete", in_source=False),
    Case("live, new, but gone from the source", "delete", held="none", in_source=False),
    Case("live, incomplete and gone from the source", "delete", held="other", in_source=False, n_rows=1),
    Case("live, gone from the source and already deleted", "same", held="deleted", in_source=False),
    Case("tombstone of a document held", "delete", head="tombstone"),
    Case("tombstone though the source holds it (refused text)", "delete", head="tombstone", held="other"),
    Case("tombstone of an old recipe", "delete", head="tombstone", recipe="old", in_source=False),
    Case("tombstone of a document left half-done", "delete", head="tombstone", held="unknown", in_source=False),
    Case("tombstone of a document never held", "delete", head="tombstone", held="none", in_source=False),
    Case("tombstone already deleted", "same", head="tombstone", held="deleted", in_source=False),
    Case("no rows, but in the source", "pending", head="none"),
    Case("no rows and gone from the source", "delete", head="none", in_source=False),
    Case("no rows, left half-done, gone from the source", "delete", head="none", held="unknown", in_source=False),
    Case("no rows, a delete left half-done", "delete", head="none", held="deleting", in_source=False),
    Case("no rows and already deleted", "same", head="none", held="deleted", in_source=False),
    Case("forgotten, live and as held", "delete", forgotten=True),
    Case("forgotten, of an old recipe, and already deleted", "same", recipe="old", held="deleted", forgotten=True),
    Case("forgotten, no rows, but in the source", "delete", head="none", held="unknown", forgotten=True),
]
HELD = [row for case in CASES for row in case.held_row()]
N_KNOWN = sum(known is not None for row in HELD for known in row["payload_hashes"])
# Without a source to ask, what is merely missing proves nothing.
UNPROVEN = {
    "live, but gone from the source": "same",
    "live, new, but gone from the source": "write",
    "live, incomplete and gone from the source": "pending",
    "live, gone from the source and already deleted": "write",
    "no rows and gone from the source": "pending",
    "no rows, left half-done, gone from the source": "pending",
}


def changes(spark: SparkSession, cases: list[Case], *, source_known: bool = True) -> DataFrame:
    heads = spark.createDataFrame([row for case in cases for row in case.head_row()], HEADS_SCHEMA)
    held = [tuple(row.values()) for case in cases for row in case.held_row()]
    # A source may hold an id twice, and documents the log has never seen.
    ids = [(case.name,) for case in cases if case.in_source] * 2 + [("never seen",)]
    source_ids = spark.createDataFrame(ids, "doc_id STRING") if source_known else None
    forgotten = spark.createDataFrame([(case.name,) for case in cases if case.forgotten], "doc_id STRING")
    return to_changes(heads, spark.createDataFrame(held, INDEX_STATE.ddl()), source_ids, forgotten, "r")


def test_each_case_has_its_status(spark: SparkSession) -> None:
    found = changes(spark, [*CASES, *DRAWN]).collect()
    statuses = {row.doc_id: row.status for row in found}
    assert statuses == {case.name: case.status for case in CASES} | {case.name: by_rule(case) for case in DRAWN}
    assert len(found) == len(statuses)
    found = [row for row in found if row.doc_id in {case.name for case in CASES}]
    held = {row.doc_id: row.held for row in found}
    assert held == {case.name: row[0]["payload_hashes"] if (row := case.held_row()) else None for case in CASES}


DRAWN = [
    Case(f"{head}/{held}/{place}/{recipe}/{held_recipe}/{n_rows}", "", head, held, place, recipe, held_recipe, n_rows)
    for head in ("live", "tombstone", "none")
    for held in ("same", "other", "unknown", "deleted", "deleting", "none")
    for place in (True, False)
    for recipe in ("r", "old")
    for held_recipe in ("r", "old")
    for n_rows in (1, 2)
    if not head == held == "none"
]


def by_rule(case: Case) -> str:
    """Say what `status` says."""
    head, held = None, None
    for row in case.head_row():
        _, source_epoch, version, deleted, recipe, document_hash, *_, n_sentences, n_rows, _ = row
        head = Head(case.name, source_epoch, version, deleted, recipe, document_hash, n_sentences, n_rows)
    for it in case.held_row():
        held = Held(it["document_hash"], it["recipe"], it["deleted"])
    return status(head, held, "r", in_source=case.in_source, forgotten=case.forgotten)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_rule_says_so_too(case: Case) -> None:
    assert by_rule(case) == case.status


def test_without_a_source_only_a_tombstone_deletes(spark: SparkSession) -> None:
    found = {row.doc_id: row.status for row in changes(spark, CASES, source_known=False).collect()}
    assert found == {case.name: UNPROVEN.get(case.name, case.status) for case in CASES}


def test_the_summary_counts_documents_and_records(spark: SparkSession) -> None:
    live = [case for case in CASES if case.head == "live" and case.in_source and not case.forgotten]
    statuses = [case.status for case in CASES]
    held = {case.name: len(row[0]["payload_hashes"]) if (row := case.held_row()) else 0 for case in CASES}
    assert summarise(changes(spark, CASES)) == Summary(
        n_documents=len(live),
        n_sentences=2 * len(live),
        n_changed=statuses.count("write") + statuses.count("delete"),
        n_pending=4,
        n_pending_recipe=2,
        n_tied=1,
        n_gone=6,
        n_reshaped=2,
        n_held_live=sum(not row["deleted"] for row in HELD),
        n_held=sum(held.values()),
        n_known=N_KNOWN,
        n_deletes=3 + sum(held[case.name] for case in CASES if case.status == "delete"),  # 3: the shorter one's tail
        n_same=sum(held[case.name] for case in CASES if case.status == "same"),
        n_desired=2 * statuses.count("write"),
        n_waiting=sum(held[case.name] for case in CASES if case.status == "pending"),
        held_models=frozenset({"m"}),
        new_models=frozenset({"m"}),
    )


def test_what_was_not_compared_is_added_from_what_is_held(spark: SparkSession) -> None:
    held = Holding(
        n_documents=len(HELD),
        n_live=sum(not row["deleted"] for row in HELD),
        n_room=sum(len(row["payload_hashes"]) for row in HELD),
        n_known=N_KNOWN,
        n_unknown=sum(row["document_hash"] is None for row in HELD),
        models=("m",),
    )
    compared = [case for case in CASES if case.status != "same"]
    assert len(compared) < len(CASES)
    assert summarise(changes(spark, compared)).among(held) == summarise(changes(spark, CASES))


def test_nothing_at_all_is_summed_to_zero(spark: SparkSession) -> None:
    assert summarise(changes(spark, [])) == NOTHING


@pytest.mark.parametrize("stays", ["live of an old recipe", "no rows, but in the source", "live and as held"])
def test_a_new_document_of_another_model_is_noticed_whatever_the_held_ones_wait_for(
    spark: SparkSession, stays: str
) -> None:
    cases = [next(case for case in CASES if case.name == stays), replace(CASES[1], held="none")]
    found = changes(spark, cases)
    newer = found.selectExpr("* EXCEPT (model)", "if(status = 'write', 'newer', model) AS model")
    assert summarise(found).other_models == []
    assert summarise(newer).other_models == ["m"]
