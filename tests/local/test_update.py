"""Updates of the real pipeline: three runs, the last of which must fail."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from local.update import Update, update
from pipelines.errors import SettingsError, UpdateFailed
from pipelines.tables import PIPELINE_TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.long

SCHEMA = "updates"
SOURCE = f"{SCHEMA}.articles"
PARAMETERS = {"schema": SCHEMA, "source_table": SOURCE}


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.states: dict[str, list[str]] = {}
        self.n_rows: Counter[str] = Counter()

    def state(self, table: str, state: str) -> None:
        self.states.setdefault(table, []).append(state)

    def rows(self, table: str, n_rows: int) -> None:
        self.n_rows[table] = n_rows


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("updates") / "checkpoints"


@pytest.fixture(scope="module")
def source(spark: SparkSession) -> SparkSession:
    """Make a source of three documents, one of them blank and one with an id that no rule lets pass."""
    spark.sql(f"CREATE SCHEMA {SCHEMA}")
    make_source(spark)
    spark.sql(f"INSERT INTO {SOURCE} VALUES ('a', 'One. Two.'), ('b', '  '), (' ', 'No id.')")
    return spark


def make_source(spark: SparkSession) -> None:
    feed = "TBLPROPERTIES (delta.enableChangeDataFeed = true)"
    spark.sql(f"CREATE TABLE {SOURCE} (id STRING, text STRING) USING delta {feed}")


@pytest.fixture(scope="module")
def first(source: SparkSession, storage: Path) -> tuple[Update, Heard]:
    heard = Heard()
    return update(source, PARAMETERS, storage, heard), heard


@pytest.fixture(scope="module")
def second(first: tuple[Update, Heard], source: SparkSession, storage: Path) -> tuple[Update, Heard]:
    assert first
    source.sql(f"UPDATE {SOURCE} SET text = 'Three.' WHERE id = 'b'")
    heard = Heard()
    return update(source, PARAMETERS, storage, heard), heard


def test_an_update_counts_what_each_table_took_in_and_what_the_rules_refused(first: tuple[Update, Heard]) -> None:
    done, _ = first
    assert done.n_rows() == {"raw": 3, "documents": 2, "documents_quarantine": 1, "sentences": 3, "embeddings": 3}
    assert {name: n for name, n in done.counts.items() if name.startswith("documents.") and n} == {
        "documents.n_read": 3,
        "documents.n_kept": 1,
        "documents.n_withdrawn": 1,
        "documents.n_quarantined": 1,
        "documents.rows.n_rows": 3,  # the refused row too: the expectation behind the count drops it
        "documents.rows.id_is_present": 1,
    }
    assert done.counts["embeddings.n_embedded"] == 2


def test_whoever_watches_hears_each_flow_run_and_end_and_how_many_rows_it_took(first: tuple[Update, Heard]) -> None:
    done, heard = first
    assert set(heard.states) == set(PIPELINE_TABLES) == set(done.seconds)
    for states in heard.states.values():
        assert states[-2:] == ["running", "completed"]
    assert heard.n_rows == {name.split(".")[0]: n for name, n in done.counts.items() if name.endswith(".rows.n_rows")}


def test_checkpoints_lie_where_they_were_asked_for(first: tuple[Update, Heard], storage: Path) -> None:
    assert first
    assert storage.is_dir()


def test_a_second_update_reads_only_what_is_new(second: tuple[Update, Heard], source: SparkSession) -> None:
    done, _ = second
    # An update is two rows of the change feed: the old one withdraws, the new one is kept.
    assert done.n_rows() == {"raw": 2, "documents": 2, "documents_quarantine": 0, "sentences": 2, "embeddings": 2}
    assert (done.counts["documents.n_kept"], done.counts["embeddings.n_embedded"]) == (1, 1)
    texts = source.table(f"{SCHEMA}.sentences").where("NOT deleted").collect()
    assert sorted(row.sentence for row in texts) == ["One.", "Three.", "Two."]


@pytest.mark.usefixtures("second")
def test_a_flow_that_fails_is_an_error_of_one_line_that_names_the_cause(source: SparkSession, storage: Path) -> None:
    source.sql(f"DROP TABLE {SOURCE}")
    make_source(source)
    heard = Heard()
    with pytest.raises(UpdateFailed) as error:
        update(source, PARAMETERS, storage, heard)
    assert str(error.value) == (
        f"source table {SOURCE} was dropped and made again since the last update: set source_epoch to one more, for "
        "good, and run a full refresh"
    )
    assert heard.states["embeddings"] == ["queued"]  # nothing below the failed flow ran


def test_an_unknown_table_to_refresh_is_an_error_that_lists_the_known(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        update(spark, PARAMETERS, tmp_path, Heard(), ["raw", "sentence"])
    assert str(error.value) == (
        "no table sentence to refresh; the pipeline has raw, documents, documents_quarantine, sentences, embeddings"
    )
    assert list(tmp_path.iterdir()) == []


def test_rows_that_a_rule_dropped_were_not_taken_in() -> None:
    done = Update({"documents.rows.n_rows": 5, "documents.n_quarantined": 2}, {})
    assert done.n_rows() == dict.fromkeys(PIPELINE_TABLES, 0) | {"documents": 3}
