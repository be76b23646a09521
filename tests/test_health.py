"""The dashboard's and the alerts' queries, over the tables of a history that is known row by row."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from local.health import answer, datasets
from local.index_server import Fault, IndexServer
from local.job import Job
from local.options import Source, parameters
from pipelines.errors import VectorIndexError
from pipelines.ids import doc_id
from pipelines.tables import EMBEDDINGS
from tests.alerts import fires
from tests.whole_world import KEY, Documents, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import Row, SparkSession

    from pipelines.report import SyncReport

pytestmark = pytest.mark.long
SCHEMA = "health"
NAMESPACE = "here"
QUERIES = {dataset.name: dataset for dataset in datasets()}
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


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("key", "expected"), [("no_good_sync", False), ("lag", False), ("dead_letters", True), ("pending", False)]
)
def test_alerts_read_the_tables_of_a_real_sync(key: str, expected: bool, spark: SparkSession) -> None:
    assert fires(spark, key, SCHEMA, NAMESPACE) is expected
