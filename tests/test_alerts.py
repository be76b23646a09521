"""Each alert, quiet and firing, over rows that are made up: a namespace a case."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.health import answer, datasets
from pipelines.state_tables import DEAD_LETTER, FORGOTTEN, INDEX_STATE, STATE_TABLES, SYNC_RUNS
from tests.alerts import fires

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.long

MADE_UP = "made_up"
QUERIES = {dataset.name: dataset for dataset in datasets()}


def run(ended_h: float, outcome: str = "succeeded", **more: Any) -> dict[str, Any]:
    """One row of `sync_runs`: a sync that ended so many hours ago, had sent a record, and saw it."""
    at = ago(ended_h)
    usual = {"run_id": f"run {ended_h}", "recipe": "r", "n_upserted": 1, "n_deleted": 0, "n_pending": 0}
    return {**usual, "started_at": ago(ended_h + 0.2), "ended_at": at, "visible_at": at, "outcome": outcome, **more}


def written(changed_h: float, run_h: float, **more: Any) -> dict[str, Any]:
    """One row of `index_state`: a document that changed so many hours ago, written by the sync that ended then."""
    usual = {"doc_id": f"changed {changed_h}", "recipe": "r", "document_hash": "h", "run_id": f"run {run_h}"}
    return {**usual, "changed_at": ago(changed_h), "synced_at": ago(run_h + 0.1), **more}


def ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


@dataclass(frozen=True, slots=True)
class Case:
    """A namespace of its own, and whether an alert fires for it."""

    key: str  # of the alert
    name: str  # of the namespace
    fires: bool
    runs: tuple[dict[str, Any], ...] = ()
    state: tuple[dict[str, Any], ...] = ()
    forgotten: tuple[dict[str, Any], ...] = ()
    dead: tuple[dict[str, Any], ...] = ()


UNSEEN = {"visible_at": None}
BEGUN = run(40)  # the first good sync; what changed before it is no lag
MANY_SEEN = tuple(written(20.4, 20, doc_id=f"seen {number}") for number in range(50))
CASES = (
    Case("no_good_sync", "a good sync an hour ago", False, (run(1),)),
    Case("no_good_sync", "a partial one an hour ago", False, (run(1, "partial"),)),
    Case("no_good_sync", "a good one too long ago", True, (run(3), run(1, "failed"), run(0.5, "refused"))),
    Case("no_good_sync", "none ever", True),
    Case("lag", "no change at all", False, (BEGUN, run(1))),
    Case("lag", "seen in time", False, (BEGUN, run(1)), (written(1.5, 1),)),
    Case("lag", "seen late", True, (BEGUN, run(1)), (written(4, 1),)),
    Case("lag", "one of many late", False, (BEGUN, run(20), run(1)), (*MANY_SEEN, written(4, 1))),
    Case("lag", "one of many never seen", True, (BEGUN, run(20), run(5, **UNSEEN)), (*MANY_SEEN, written(5.4, 5))),
    Case("lag", "its run died", True, (BEGUN,), (written(5.4, 5),)),
    Case("lag", "a later write was seen", False, (BEGUN, run(5, **UNSEEN), run(4.5)), (written(5.4, 5),)),
    Case("lag", "seen, but the day before", False, (BEGUN, run(30)), (written(38, 30),)),
    Case("lag", "nothing had to be sent", False, (BEGUN, run(5, n_upserted=0, **UNSEEN)), (written(5.4, 5),)),
    Case("lag", "there before the first sync", False, (run(1),), (written(500, 1),)),
    Case("lag", "written again, of another recipe", False, (BEGUN, run(1, recipe="s")), (written(30, 1, recipe="s"),)),
    Case("lag", "not known to be written", False, (BEGUN, run(5, "failed")), (written(9, 5, document_hash=None),)),
    Case("lag", "allowed back", False, (BEGUN, run(1)), (written(30, 1, doc_id="back"),), ({"doc_id": "back"},)),
    Case("dead_letters", "none", False, (run(1),)),
    Case("dead_letters", "one", True, dead=({"id": "x#0", "doc_id": "x"},)),
    Case("pending", "nothing held back", False, (run(30), run(1))),
    Case(
        "pending", "for more than a day", True, (run(26), run(25, n_pending=2), run(13, "failed"), run(1, n_pending=1))
    ),
    Case("pending", "since the first sync", True, (run(25, n_pending=2),)),
    Case("pending", "not all the time", False, (run(25, n_pending=2), run(13), run(1, n_pending=1))),
    Case("pending", "no sync ever", False),
)


@pytest.fixture(scope="module")
def cases(spark: SparkSession) -> None:
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {MADE_UP}")
    given = {SYNC_RUNS.name: "runs", INDEX_STATE.name: "state", FORGOTTEN.name: "forgotten", DEAD_LETTER.name: "dead"}
    for table in STATE_TABLES:
        found = [(case.name, getattr(case, given[table.name])) for case in CASES if table.name in given]
        rows = [{"index": "local", "namespace": name, **row} for name, its_rows in found for row in its_rows]
        values = [tuple(row.get(name) for name in table.columns) for row in rows]
        made = spark.createDataFrame(values, table.ddl()).coalesce(1)
        made.write.saveAsTable(f"{MADE_UP}.{table.name}", format="parquet")  # a third of the time that Delta takes


@pytest.mark.usefixtures("cases")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.key}: {case.name}")
def test_an_alert_fires_for_its_reason_alone(case: Case, spark: SparkSession) -> None:
    assert fires(spark, case.key, MADE_UP, case.name) is case.fires


@pytest.mark.usefixtures("cases")
def test_no_namespace_is_mixed_with_another(spark: SparkSession) -> None:
    lag = {row.namespace: row.lag_p95_s for row in answer(spark, MADE_UP, QUERIES["lag"]).collect()}
    assert lag["seen late"] > 7200 > lag["seen in time"] > 0
    n_runs: Counter[str] = Counter()
    for row in answer(spark, MADE_UP, QUERIES["syncs"]).collect():
        n_runs[row.namespace] += row.n_runs
    assert n_runs == {case.name: len(case.runs) for case in CASES if case.runs}
