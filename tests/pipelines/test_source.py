"""The source: what is wrong with it is said before anything is read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import source_schema, source_table_id

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ARTICLES = Settings(source_table="source_test.articles", metadata_columns=("title",))


@pytest.fixture(scope="module", autouse=True)
def _tables(spark: SparkSession) -> None:
    for statement in (
        "CREATE SCHEMA source_test",
        """CREATE TABLE source_test.articles (id STRING, text STRING, title STRING, at TIMESTAMP, day DATE, raw BINARY)
        TBLPROPERTIES (delta.enableChangeDataFeed = true)""",
        "CREATE TABLE source_test.taken (id STRING, text STRING, Changed_At DATE)",
        "CREATE TABLE source_test.reasons (id STRING, text STRING, reasons STRING)",
    ):
        spark.sql(statement)


def refusal(spark: SparkSession, settings: Settings) -> str:
    with pytest.raises(SourceError) as caught:
        source_schema(spark, settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_sound_source_gives_its_schema(spark: SparkSession) -> None:
    schema = source_schema(spark, replace(ARTICLES, source_mode="appends", version_column="at"))
    assert schema.names == ["id", "text", "title", "at", "day", "raw"]
    assert source_table_id(spark, ARTICLES)


def test_a_table_made_in_anothers_place_has_another_id(spark: SparkSession) -> None:
    before = source_table_id(spark, ARTICLES)
    assert source_table_id(spark, ARTICLES) == before
    assert source_table_id(spark, Settings(source_table="source_test.taken", source_mode="appends")) != before


def test_a_missing_table_is_named(spark: SparkSession) -> None:
    message = refusal(spark, replace(ARTICLES, source_table="source_test.nothing"))
    assert message == "source table source_test.nothing does not exist: check setting source_table"


@pytest.mark.parametrize("setting", ["id_column", "text_column", "version_column"])
def test_a_missing_column_is_named_with_the_setting_and_what_there_is(spark: SparkSession, setting: str) -> None:
    assert refusal(spark, replace(ARTICLES, **{setting: "key"})) == (
        "source table source_test.articles has no column key; it has id, text, title, at, day, raw: "
        f"correct setting {setting} (STREAMING_EMBEDDINGS_{setting.upper()})"
    )


def test_a_missing_metadata_column_is_named(spark: SparkSession) -> None:
    message = refusal(spark, replace(ARTICLES, metadata_columns=("title", "year")))
    assert "has no column year;" in message
    assert "metadata_columns" in message


def test_a_column_that_cannot_tell_or_order_documents_is_refused(spark: SparkSession) -> None:
    assert "column raw of source table source_test.articles is of type binary; id_column may be" in refusal(
        spark, replace(ARTICLES, id_column="raw")
    )
    assert "is of type date; version_column may be of type byte, short, integer, long, timestamp:" in refusal(
        spark, replace(ARTICLES, version_column="day")
    )


@pytest.mark.parametrize(("table", "column"), [("taken", "Changed_At"), ("reasons", "reasons")])
def test_a_column_with_a_name_of_ours_is_refused(spark: SparkSession, table: str, column: str) -> None:
    message = refusal(spark, Settings(source_table=f"source_test.{table}"))
    assert message == f"source table source_test.{table} has a column {column}, a name of ours: rename it"


def test_a_source_without_change_feed_says_what_to_run(spark: SparkSession) -> None:
    taken = Settings(source_table="source_test.taken")
    with pytest.raises(SourceError, match=r"ALTER TABLE source_test\.taken SET TBLPROPERTIES .*source_mode to appends"):
        source_table_id(spark, taken)
    assert source_table_id(spark, replace(taken, source_mode="appends"))
