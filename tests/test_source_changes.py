"""What a source can do to a stream that reads it: each is followed, or stopped with what to do, and doing it heals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import update as updates
from pipelines.errors import SourceError, UpdateFailed
from pipelines.settings import load_settings
from pipelines.source import source_schema
from tests.local.test_update import Heard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.long
OTHER_COLUMNS = "had a column renamed, dropped or retyped since the last update: run a full refresh of all tables"
FEED_OFF = "had its change feed off for some commits since the last update: see that it is on, and run a full refresh"
TOO_LATE = (
    "no longer keeps all changes since the last update: run a full refresh, and update more often or raise its "
    "retention (delta.logRetentionDuration, delta.deletedFileRetentionDuration)"
)
NO_FEED = (
    "had rows changed or deleted, which source_mode appends cannot follow: enable its change feed, set source_mode to "
    "changes and run a full refresh"
)


class Pipeline:
    """The flow that reads a source, over a source of its own."""

    def __init__(self, spark: SparkSession, schema: str, storage: Path, properties: str, **chosen: str) -> None:
        self.spark, self.storage, self.source = spark, storage, f"{schema}.articles"
        self.parameters = {"schema": schema, "source_table": self.source, **chosen}
        spark.sql(f"CREATE SCHEMA {schema}")
        spark.sql(f"CREATE TABLE {self.source} (id STRING, text STRING, n INT, m INT) TBLPROPERTIES ({properties})")
        spark.sql(f"INSERT INTO {self.source} VALUES ('first', 'One.', 1, 1)")

    def update(self, full_refresh: Sequence[str] | None = None) -> int:
        """Update `raw` alone; return how many rows it took in."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(updates, "PIPELINE_NOTEBOOKS", ("bronze",))
            done = updates.update(self.spark, self.parameters, self.storage, Heard(), full_refresh)
        return done.n_rows()["raw"]

    def columns(self) -> dict[str, str]:
        return dict(self.spark.table(f"{self.parameters['schema']}.raw").dtypes)

    def log(self) -> Path:
        (row,) = self.spark.sql(f"DESCRIBE DETAIL {self.source}").collect()
        return Path(row.location.removeprefix("file:")) / "_delta_log"


@pytest.fixture(scope="module")
def pipeline(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    storage = tmp_path_factory.mktemp("source_changes")
    properties = "delta.enableChangeDataFeed = true, delta.columnMapping.mode = 'name', delta.enableTypeWidening = true"
    pipeline = Pipeline(spark, "source_changes", storage, properties)
    assert pipeline.update() == 1
    return pipeline


def test_a_new_column_is_read_on(pipeline: Pipeline) -> None:
    pipeline.spark.sql(f"ALTER TABLE {pipeline.source} ADD COLUMN extra STRING")
    pipeline.spark.sql(f"INSERT INTO {pipeline.source} VALUES ('second', 'Two.', 2, 2, 'more')")
    assert pipeline.update() == 1
    assert pipeline.columns()["extra"] == "string"


@pytest.mark.parametrize(
    ("statements", "advice"),
    [
        (["ALTER TABLE {} RENAME COLUMN n TO k"], OTHER_COLUMNS),
        (["ALTER TABLE {} ALTER COLUMN m TYPE BIGINT"], OTHER_COLUMNS),
        (
            [
                "ALTER TABLE {} SET TBLPROPERTIES (delta.enableChangeDataFeed = false)",
                "INSERT INTO {} (id, text) VALUES ('unseen', 'Six.')",
                "ALTER TABLE {} SET TBLPROPERTIES (delta.enableChangeDataFeed = true)",
            ],
            FEED_OFF,
        ),
    ],
    ids=["renamed", "retyped", "feed switched off and on"],
)
def test_what_a_stream_cannot_follow_is_one_line_of_advice_that_heals(
    pipeline: Pipeline, statements: list[str], advice: str
) -> None:
    for statement in (*statements, "INSERT INTO {} (id, text) VALUES ('more', 'More.')"):
        pipeline.spark.sql(statement.format(pipeline.source))
    heals(pipeline, advice)


def stops(pipeline: Pipeline, advice: str) -> None:
    """Check that an update fails with the advice."""
    with pytest.raises(UpdateFailed) as error:
        pipeline.update()
    assert str(error.value) == f"source table {pipeline.source} {advice}"


def heals(pipeline: Pipeline, advice: str) -> None:
    """Check that an update fails with the advice, and that following it reads the source whole."""
    stops(pipeline, advice)
    source = pipeline.spark.table(pipeline.source)
    assert pipeline.update([]) == source.count()
    assert dict(source.dtypes).items() <= pipeline.columns().items()


def test_changes_whose_files_were_vacuumed_are_no_silent_gap(pipeline: Pipeline) -> None:
    pipeline.spark.sql(f"UPDATE {pipeline.source} SET text = 'Changed.' WHERE id = 'first'")
    changes = list(pipeline.log().parent.rglob("cdc-*.parquet"))
    assert changes
    for file in changes:
        file.unlink()
    stops(pipeline, TOO_LATE)


def test_a_log_cleaned_before_it_was_read_is_no_silent_gap(pipeline: Pipeline) -> None:
    for statement in (
        "ALTER TABLE {} SET TBLPROPERTIES (delta.checkpointInterval = 1)",
        "INSERT INTO {} (id, text) VALUES ('late', 'Late.')",
        "DELETE FROM {} WHERE id = 'second'",
    ):
        pipeline.spark.sql(statement.format(pipeline.source))
    last = max(int(file.name[:20]) for file in pipeline.log().glob("0*.json"))
    for file in pipeline.log().iterdir():
        if file.name.lstrip(".")[:20].isdecimal() and int(file.name.lstrip(".")[:20]) < last:
            file.unlink()
    heals(pipeline, TOO_LATE)


def test_a_dropped_column_stops_it_as_a_renamed_one_does(pipeline: Pipeline) -> None:
    for statement in ("ALTER TABLE {} DROP COLUMN k", "INSERT INTO {} (id, text) VALUES ('last', 'Last.')"):
        pipeline.spark.sql(statement.format(pipeline.source))
    stops(pipeline, OTHER_COLUMNS)


def test_a_text_column_that_was_renamed_is_missed_by_name(pipeline: Pipeline) -> None:
    pipeline.spark.sql(f"ALTER TABLE {pipeline.source} RENAME COLUMN text TO body")
    with pytest.raises(SourceError, match=r"has no column text; it has id, body, .*: correct setting text_column"):
        source_schema(pipeline.spark, load_settings(pipeline.parameters))


def test_a_change_in_an_append_only_source_stops_it(spark: SparkSession, tmp_path: Path) -> None:
    pipeline = Pipeline(spark, "source_appends", tmp_path, "delta.appendOnly = false", source_mode="appends")
    assert pipeline.update() == 1
    spark.sql(f"UPDATE {pipeline.source} SET text = 'Changed.'")
    stops(pipeline, NO_FEED)
    # The advice, followed to the end.
    spark.sql(f"ALTER TABLE {pipeline.source} SET TBLPROPERTIES (delta.enableChangeDataFeed = true)")
    pipeline.parameters |= {"source_mode": "changes", "source_epoch": "1"}
    assert pipeline.update([]) == 1
    spark.sql(f"DELETE FROM {pipeline.source}")
    assert pipeline.update() == 1
