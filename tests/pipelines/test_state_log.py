"""A log of what the index holds: the last row of a document counts, and those before it may go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines import commit
from pipelines.settings import Settings
from pipelines.state import State
from pipelines.state_tables import INDEX_STATE
from tests.pipelines.test_state import counts, held, row

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.long

SETTINGS = Settings(source_table="a.b", schema="state_log_test", index_name="docs", namespace="one")
TABLE = SETTINGS.table(INDEX_STATE.name)


@pytest.fixture
def state(spark: SparkSession) -> State:
    spark.sql(f"DROP TABLE IF EXISTS {TABLE}")
    state = State(spark, SETTINGS)
    state.create()
    return state


def n_rows(spark: SparkSession) -> int:
    return spark.table(TABLE).count()


def test_a_later_row_counts_whoever_wrote_it(spark: SparkSession, state: State) -> None:
    state.append([row("d", ["a"]), row("e", ["b"])])
    State(spark, SETTINGS, run_id="another run").append([row("d", [None, None], None)])
    assert held(state) == {"d": (None, [None, None]), "e": ("hash", ["b"])}
    State(spark, SETTINGS).append([row("d", ["c"])])
    assert held(state) == {"d": ("hash", ["c"]), "e": ("hash", ["b"])}
    assert (n_rows(spark), counts(state)) == (4, (2, 2))
    assert state.row("d") | {"payload_hashes": ["c"]} == state.row("d")
    assert state.row("unknown") is None


def test_a_table_of_an_earlier_release_had_one_row_a_document(spark: SparkSession, state: State) -> None:
    state.append([row("d", ["a"]), row("e", ["b"])])
    spark.table(TABLE).drop("seq").write.mode("overwrite").option("overwriteSchema", "true").saveAsTable(TABLE)
    later = State(spark, SETTINGS)
    assert (held(later), counts(later)) == ({"d": ("hash", ["a"]), "e": ("hash", ["b"])}, (2, 2))
    later.create()
    later.append([row("d", ["c"])])
    assert held(later) == {"d": ("hash", ["c"]), "e": ("hash", ["b"])}


def test_of_two_rows_that_claim_to_be_the_last_the_one_that_claims_less_counts(
    spark: SparkSession, state: State
) -> None:
    late = State(spark, SETTINGS)
    for writer, known in ((state, None), (late, "hash")):
        writer._log._seq = 7
        writer.append([row("d", ["a"], known)])
    assert held(state) == {"d": (None, ["a"])}
    with pytest.raises(AssertionError):
        state.append([row("d", ["a"]), row("d", ["b"])])


def test_a_run_that_writes_knows_the_last_row_from_its_count_and_goes_on_from_there(
    spark: SparkSession, state: State
) -> None:
    for text in "abc":
        state.append([row("d", [text])])
    run, reader = State(spark, SETTINGS, run_id="run"), State(spark, SETTINGS)
    assert run.holding() == reader.holding()
    assert (run._log._seq, reader._log._seq) == (3, None)  # who only reads may not know it when it comes to write
    run.append([row("d", ["e"])])
    assert held(state) == {"d": ("hash", ["e"])}


def test_superseded_rows_go_once_there_are_many_files_and_nothing_held_changes(
    spark: SparkSession, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = State(spark, replace(SETTINGS, namespace="two"))
    for number in range(2):
        other.append([row("d", [str(number)])])
        state.append([row("d", [str(number)]), row(f"e{number}", ["b"], None if number else "hash")])
    state.append([row("d", ["last"])])
    before = held(state)
    state.compact()
    assert n_rows(spark) == 5 + 2
    assert spark.sql(f"DESCRIBE DETAIL {TABLE}").collect()[0].numFiles == 3 + 2  # one a commit
    monkeypatch.setattr(commit, "MANY_FILES", 3)
    State(spark, SETTINGS).compact()  # it wrote nothing
    assert n_rows(spark) == 5 + 2
    state.compact()
    assert held(state) == before == {"d": ("hash", ["last"]), "e0": ("hash", ["b"]), "e1": (None, ["b"])}
    assert n_rows(spark) == 3 + 2
    assert spark.sql(f"DESCRIBE DETAIL {TABLE}").collect()[0].numFiles == 1
    assert held(other) == {"d": ("hash", ["1"])}
