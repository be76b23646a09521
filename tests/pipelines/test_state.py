"""The sync's memory: rows of one index and namespace, and of no other."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pipelines.ids import TOMBSTONE_HASH
from pipelines.report import SyncReport
from pipelines.settings import Settings
from pipelines.state import State
from pipelines.state_tables import SYNC_RUNS
from tests.pipelines.scene import NOON

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = Settings(source_table="a.b", schema="state_test", index_name="docs", namespace="plain")
ODD = """it's a "name\\space" of {odd} ${HOME} ${env:HOME}; -- `all` ASCII"""


def row(doc_id: str, payload_hashes: list[str | None], document_hash: str | None = "hash") -> dict[str, Any]:
    return {
        "doc_id": doc_id,
        "source_id": f"the source's {doc_id}",
        "version": 1,
        "document_hash": document_hash,
        "recipe": "r",
        "model": "m",
        "deleted": document_hash == TOMBSTONE_HASH,
        "payload_hashes": payload_hashes,
        "changed_at": NOON,
    }


def held(state: State) -> dict[str, tuple[str | None, list[str | None]]]:
    rows = state.held().collect()
    assert len(rows) == len({row.doc_id for row in rows})
    return {row.doc_id: (row.document_hash, row.payload_hashes) for row in rows}


def test_each_namespace_and_each_index_has_its_own_rows(spark: SparkSession) -> None:
    plain = State(spark, SETTINGS)
    odd = State(spark, replace(SETTINGS, namespace=ODD))
    other = State(spark, replace(SETTINGS, index_name="other"))
    assert held(plain) == {}  # before there is a table
    for _ in range(2):
        plain.create()
    plain.merge([])
    assert plain.count() == (0, 0)

    plain.merge([row("d", ["a", None]), row("gone", [], TOMBSTONE_HASH)])
    odd.merge([row("d", ["b"])])
    other.merge([row("d", ["c", "c", "c"])])
    assert [state.count() for state in (plain, odd, other)] == [(2, 1), (1, 1), (1, 3)]
    assert held(odd) == {"d": ("hash", ["b"])}

    odd.merge([row("d", ["e", "f"], "later"), row("new", ["g"])])
    assert held(odd) == {"d": ("later", ["e", "f"]), "new": ("hash", ["g"])}
    assert held(plain) == {"d": ("hash", ["a", None]), "gone": (TOMBSTONE_HASH, [])}

    odd.forget_contents()
    assert held(odd) == {"d": (None, [None, None]), "new": (None, [None])}
    assert odd.count() == (2, 0)
    assert [state.count() for state in (plain, other)] == [(2, 1), (1, 3)]


def test_a_run_is_recorded_with_what_is_not_known_left_empty(spark: SparkSession) -> None:
    settings = replace(SETTINGS, schema="state_test_runs", namespace=ODD)
    state = State(spark, settings)
    spark.sql(f"CREATE SCHEMA {settings.schema}")
    spark.sql(
        f"CREATE TABLE {settings.table('sync_runs')} (error STRING, run_id STRING) USING delta"
    )  # an earlier release's
    state.create()
    assert {*spark.table(settings.table("sync_runs")).columns} == {*SYNC_RUNS.columns}
    assert state.last_source() is None
    report = SyncReport(
        "run", "docs", ODD, NOON, "id", 7, "the source", 2, n_upserted=3, seconds={"plan": 0.5}, error="why"
    )
    state.record(asdict(report))
    found = spark.table(settings.table("sync_runs")).collect()[0]
    assert (found.run_id, found.namespace, found.n_upserted, found.seconds) == ("run", ODD, 3, {"plan": 0.5})
    assert (found.ended_at, found.error, found.outcome) == (None, "why", "failed")

    # Earlier, and elsewhere.
    state.record(asdict(replace(report, started_at=NOON - timedelta(days=1), source_epoch=1)))
    state.record(asdict(replace(report, started_at=NOON + timedelta(days=1), namespace="other", source_epoch=3)))
    assert state.last_source() == ("the source", 2)
