"""The dashboard's and the alerts' queries, over the tables of a history that is known row by row."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from local.health import DASHBOARD, answer, datasets
from local.index_server import Fault, IndexServer
from local.job import Job
from local.options import Source, parameters
from pipelines.errors import VectorIndexError
from pipelines.ids import doc_id
from pipelines.state_tables import DEAD_LETTER, FORGOTTEN, INDEX_STATE, STATE_TABLES, SYNC_RUNS
from pipelines.tables import EMBEDDINGS
from tests.whole_world import KEY, Documents, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import Row, SparkSession

    from pipelines.report import SyncReport

SCHEMA, MADE_UP = "health", "made_up"  # of the history; of rows made up for alerts
NAMESPACE = "here"
QUERIES = {dataset.name: dataset for dataset in datasets()}
ALERTS: dict[str, Any] = {}
for path in DASHBOARD.parent.glob("*.alert.yml"):
    ALERTS |= yaml.safe_load(path.read_text(encoding="utf-8"))["resources"]["alerts"]
VERSIONS = {"counter": 2, "table": 2, "filter-multi-select": 2, "bar": 3, "line": 3}
FIRST: Documents = {
    "edited": "The first stays. The second changes.",
    "deleted": "This one is going to leave.",
    "half": "The first stays. It has a sentence of its own.",
    "secret": "Nobody may read this for ever.",
    "blank": " \n ",
    None: "A text that belongs to nobody.",
    "binary": "\ufffd" * 60,
}
SECOND: Documents = {
    **{source_id: text for source_id, text in FIRST.items() if source_id != "deleted"},
    "edited": "The first stays. The second has changed.",
    "new": "The index does not take this one.",
}


@dataclass(frozen=True, slots=True)
class History:
    """What was done, and what the dashboard said after it."""

    found: dict[str, list[Row]]  # rows of each query
    failed: list[Row]  # rows of `contents` while a sync had failed
    runs: list[Row]  # rows of `sync_runs`, in order

    def total(self, name: str) -> dict[str, int]:
        """Add up a query's counts: the test may run over midnight."""
        rows = self.found[name]
        return {column: sum(row[column] for row in rows) for column in rows[0].__fields__ if column.startswith("n_")}


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("health")
    file = folder / "documents.jsonl"
    chosen = {
        "schema": SCHEMA,
        "source_table": f"{SCHEMA}.source",
        "namespace": NAMESPACE,
        "max_delete_ratio": "1",
        "max_dead_letter_ratio": "1",
    }
    with IndexServer(folder / "index", api_key=KEY, port=0, home_id="health") as server:
        job = Job(spark, parameters(Source(file, {}), chosen, server.url), folder / "checkpoints", KEY)
        yield World(job, file, server)
    spark.sql("USE default")


@pytest.fixture(scope="module")
def history(world: World, spark: SparkSession) -> History:
    world.run(FIRST)
    world.server.set_faults(Fault("upsert", status=403, n_times=None))
    with pytest.raises(VectorIndexError):
        world.run(SECOND, ["embeddings"])
    failed = answer(spark, SCHEMA, QUERIES["contents"]).collect()
    # Of two records the request is refused, then the first of the two alone.
    assert doc_id("new") < doc_id("edited")
    world.server.set_faults(Fault("upsert", status=400, n_times=2))
    sync(world)
    replace(world.job, parameters={**world.job.parameters, "forget": "secret"}).prepare()
    # A new version of which the first of two rows is there.
    embeddings = world.table(EMBEDDINGS.name)
    first = spark.table(embeddings).where("source_id = 'half' AND ordinal = 0")
    newer = {"version": F.col("version") + 1, "document_hash": F.lit("newer")}
    first.select(*(newer.get(name, F.col(name)).alias(name) for name in first.columns)).writeTo(embeddings).append()
    sync(world)
    found = {name: answer(spark, SCHEMA, dataset).collect() for name, dataset in QUERIES.items()}
    return History(found, failed, spark.table(world.table("sync_runs")).orderBy("started_at").collect())


def sync(world: World) -> SyncReport:
    return world.job.sync(lambda _line: None)


def only(rows: list[Row]) -> dict[str, Any]:
    [row] = rows
    return dict(row.asDict())


def test_every_row_that_was_read_is_accounted_for(history: History, world: World, spark: SparkSession) -> None:
    # Of the second run: an insert, a delete, and an edit's two rows.
    assert history.total("rows") == {
        "n_read": 11,
        "n_kept": 6,
        "n_withdrawn": 3,
        "n_quarantined": 2,
        "n_unaccounted": 0,
    }
    assert {row.rule: row.n_rows for row in history.found["rules"]} == {"id_is_present": 1, "text_is_readable": 1}
    documents = world.table("documents")
    spark.sql(f"DELETE FROM {documents} WHERE source_id = 'new'")
    assert sum(row.n_unaccounted for row in answer(spark, SCHEMA, QUERIES["rows"]).collect()) == 1


def test_sentences_by_the_model_are_told_from_those_of_the_cache(history: History) -> None:
    # All six of the first run, for the refresh; the one that the edit left; and the half version's.
    assert history.total("sentences") == {"n_embedded": 2, "n_served": 8}


def test_syncs_are_counted_and_priced(history: History) -> None:
    counts = history.total("syncs")
    assert counts.pop("n_pending") == 1
    assert counts == {
        "n_runs": 4,
        "n_good_runs": 3,
        "n_upserted": 6 + 0 + 1 + 0,
        "n_deleted": 0 + 0 + 2 + 0,  # one is of the new document: the failed run may have left its record there
        "n_unchanged": 0 + 3 + 4 + 2,
        "n_refused": 1,
    }
    n_units = sum(run.n_write_units for run in history.runs)
    a_record = history.runs[0].n_write_units / 6
    assert n_units > a_record > 1
    assert sum(row.cost_usd for row in history.found["syncs"]) == pytest.approx(n_units * 4e-6, abs=1e-6)
    assert sum(row.saved_usd for row in history.found["syncs"]) == pytest.approx(6 * a_record * 4e-6, abs=1e-6)


def test_lag_is_that_of_changes_alone(history: History, world: World, spark: SparkSession) -> None:
    changed_at = spark.table(world.table("raw")).agg(F.max("changed_at").alias("at")).collect()[0].at
    lag_s = int((history.runs[2].visible_at - changed_at).total_seconds())
    row = only(history.found["lag"])
    # The edited, the deleted and the new document; not those that were there before, nor the forgotten one.
    assert (row["n_documents"], row["n_unseen"]) == (3, 0)
    assert (row["lag_p50_s"], row["lag_p95_s"]) == (lag_s, lag_s)


def test_the_index_is_held_against_the_tables(history: History) -> None:
    assert only(history.failed) == {
        "index": "local",
        "namespace": NAMESPACE,
        "n_documents": 4,
        "n_behind": 2,
        "n_wanted": 6,
        "n_held": 4,
        "n_refused": 0,
        "n_missing": 2,
        "n_surplus": 0,
        "n_pending": 0,
    }
    assert only(history.found["contents"]) == {
        "index": "local",
        "namespace": NAMESPACE,
        "n_documents": 3,
        "n_behind": 1,
        "n_wanted": 5,
        "n_held": 4,
        "n_refused": 1,
        "n_missing": 0,
        "n_surplus": 0,
        "n_pending": 1,
    }
    assert history.total("apart") == {"n_dead_letters": 1, "n_forgotten": 1}
    letter = only(history.found["letters"])
    assert (letter["source_id"], letter["status"], letter["n_attempts"]) == ("new", 400, 1)
    assert letter["reason"]


def test_runs_and_their_phases_are_listed_the_newest_first(history: History) -> None:
    rows = history.found["runs"]
    assert [row.outcome for row in rows] == ["succeeded", "partial", "failed", "succeeded"]
    assert rows[-1].reason == "the first sync of this namespace"
    assert [bool(row.error) for row in rows] == [False, False, True, False]
    assert "403" in rows[2].error
    phases = history.found["phases"]
    assert len(phases) == sum(len(run.seconds) for run in history.runs)
    took = {(row.run_id, row.phase): row.took_s for row in phases}
    for run in history.runs:
        assert {phase: took[run.run_id, phase] for phase in run.seconds} == pytest.approx(run.seconds, abs=6e-3)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_names_no_schema_and_says_which_namespace(name: str, history: History) -> None:
    assert not re.search(r"(FROM|JOIN) \w+\.", QUERIES[name].query)
    of_a_place = any(table in QUERIES[name].query for table in ("sync_runs", "index_state", "dead_letter"))
    assert ({"index", "namespace"} <= set(history.found[name][0].__fields__)) == of_a_place


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
    for table in STATE_TABLES:
        spark.sql(table.creation(f"{MADE_UP}.{table.name}"))
    for table, field in ((SYNC_RUNS, "runs"), (INDEX_STATE, "state"), (FORGOTTEN, "forgotten"), (DEAD_LETTER, "dead")):
        rows = [{"index": "local", "namespace": case.name, **row} for case in CASES for row in getattr(case, field)]
        values = [tuple(row.get(name) for name in table.columns) for row in rows]
        spark.createDataFrame(values, table.ddl()).writeTo(f"{MADE_UP}.{table.name}").append()


@pytest.mark.usefixtures("cases")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.key}: {case.name}")
def test_an_alert_fires_for_its_reason_alone(case: Case, spark: SparkSession) -> None:
    assert fires(spark, case.key, MADE_UP, case.name) is case.fires


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("key", "expected"), [("no_good_sync", False), ("lag", False), ("dead_letters", True), ("pending", False)]
)
def test_alerts_read_the_tables_of_a_real_sync(key: str, expected: bool, spark: SparkSession) -> None:
    assert fires(spark, key, SCHEMA, NAMESPACE) is expected


def fires(spark: SparkSession, key: str, schema: str, namespace: str) -> bool:
    """Evaluate an alert as the service does: a column's first value against the threshold."""
    values = {
        "var.catalog": "spark_catalog",
        "resources.schemas.tables.name": schema,
        "var.index_name": "local",
        "var.namespace": namespace,
        "var.max_silence_h": "2",
        "var.max_lag_s": "7200",
    }

    def filled(text: object) -> str:
        return re.sub(r"\$\{(.+?)\}", lambda match: values[match[1]], str(text))

    alert = ALERTS[key]
    evaluation = alert["evaluation"]
    assert evaluation["comparison_operator"] == "GREATER_THAN"
    rows = spark.sql(filled(alert["query_text"])).collect()
    if not rows:
        return bool(evaluation["empty_result_state"] == "TRIGGERED")
    return bool(rows[0][evaluation["source"]["name"]] > float(filled(evaluation["threshold"]["value"]["double_value"])))


@pytest.mark.usefixtures("cases")
def test_no_namespace_is_mixed_with_another(spark: SparkSession) -> None:
    lag = {row.namespace: row.lag_p95_s for row in answer(spark, MADE_UP, QUERIES["lag"]).collect()}
    assert lag["seen late"] > 7200 > lag["seen in time"] > 0
    n_runs: Counter[str] = Counter()
    for row in answer(spark, MADE_UP, QUERIES["syncs"]).collect():
        n_runs[row.namespace] += row.n_runs
    assert n_runs == {case.name: len(case.runs) for case in CASES if case.runs}


@pytest.mark.usefixtures("history")
def test_every_widget_shows_columns_that_its_query_has(spark: SparkSession) -> None:
    columns = {name: set(answer(spark, SCHEMA, dataset).columns) for name, dataset in QUERIES.items()}
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    shown = set()
    for page in board["pages"]:
        places = set()
        for item in page["layout"]:
            widget, where = item["widget"], item["position"]
            cells = {(where["x"] + i, where["y"] + j) for i in range(where["width"]) for j in range(where["height"])}
            assert not cells & places
            assert max(x for x, _ in cells) < 6
            places |= cells
            named = set()
            for query in (it["query"] for it in widget["queries"]):
                shown.add(query["datasetName"])
                for field in query["fields"]:
                    named.add(field["name"])
                    assert re.search(r"`(\w+)`", field["expression"])[1] in columns[query["datasetName"]]
            assert set(re.findall(r'"fieldName": "(.+?)"', json.dumps(widget["spec"]))) == named
            assert widget["spec"]["version"] == VERSIONS[widget["spec"]["widgetType"]]
    assert shown == set(QUERIES)
    assert all(line.endswith("\n") for it in board["datasets"] for line in it["queryLines"])
