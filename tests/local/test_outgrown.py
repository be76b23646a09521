"""A full refresh makes anew what no longer fits, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.outgrown import remake_outgrown
from pipelines.settings import Settings
from pipelines.tables import DOCUMENTS_QUARANTINE, RAW

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.long

SETTINGS = Settings(source_table="outgrown.articles", schema="outgrown")


def test_tables_are_made_anew_when_a_column_is_gone_or_of_another_type(spark: SparkSession) -> None:
    for statement in (
        "CREATE SCHEMA outgrown",
        "CREATE TABLE outgrown.articles (id STRING, text STRING, n INT, more STRING)",
    ):
        spark.sql(statement)
    schema = spark.table("outgrown.articles").schema
    remake_outgrown(spark, SETTINGS)  # there is none yet
    assert not spark.catalog.tableExists("outgrown.raw")
    for table in (RAW, DOCUMENTS_QUARANTINE):
        spark.sql(table.replacement(SETTINGS.table(table.name), schema))
        spark.sql(f"INSERT INTO {SETTINGS.table(table.name)} (id) VALUES ('kept')")
    spark.sql("ALTER TABLE outgrown.articles ADD COLUMN late INT")
    remake_outgrown(spark, SETTINGS)  # Delta adds columns by itself
    assert [spark.table(SETTINGS.table(table.name)).count() for table in (RAW, DOCUMENTS_QUARANTINE)] == [1, 1]
    spark.sql("CREATE OR REPLACE TABLE outgrown.articles (id STRING, text STRING, n STRING)")
    remake_outgrown(spark, SETTINGS)
    for table in (RAW, DOCUMENTS_QUARANTINE):
        made = spark.table(SETTINGS.table(table.name))
        assert made.count() == 0
        assert made.columns == ["id", "text", "n", *table.columns]
        assert dict(made.dtypes)["n"] == "string"
