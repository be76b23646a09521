"""Rows of `sync_runs`: what is not known stays empty, and the last one of a namespace says where to go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipelines.form import LastRun
from pipelines.report import SyncReport
from pipelines.runs import last_run, record
from pipelines.settings import Settings
from pipelines.state import State
from pipelines.state_tables import SYNC_RUNS
from tests.pipelines.scene import NOON

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ODD = """it's a "name\\space" of {odd} ${HOME} ${env:HOME}; -- `all` ASCII"""
SETTINGS = Settings(source_table="a.b", schema="runs_test", index_name="docs", namespace=ODD)
DAY = timedelta(days=1)


@pytest.mark.long
def test_a_run_is_recorded_with_what_is_not_known_left_empty(spark: SparkSession) -> None:
    spark.sql(f"CREATE SCHEMA {SETTINGS.schema}")
    assert last_run(spark, SETTINGS) is None
    table = SETTINGS.table("sync_runs")
    spark.sql(f"CREATE TABLE {table} (error STRING, run_id STRING) USING delta")  # an earlier release's
    State(spark, SETTINGS).create()
    assert {*spark.table(table).columns} == {*SYNC_RUNS.columns}
    assert last_run(spark, SETTINGS) is None
    report = SyncReport("run", "docs", ODD, NOON, 2, "id", 7, "the source", 4, "r", n_upserted=3, seconds={"plan": 0.5})
    record(spark, SETTINGS, replace(report, error="why"))
    found = spark.table(table).collect()[0]
    assert (found.run_id, found.namespace, found.n_upserted, found.seconds) == ("run", ODD, 3, {"plan": 0.5})
    assert (found.ended_at, found.error, found.outcome) == (None, "why", "failed")
    last = LastRun("failed", "id", 7, "the source", 4, 2, "r", 0, n_pending=0, n_tied=0, whole_age_s=None)
    assert last_run(spark, SETTINGS) == last

    # Refused before it looked; earlier, whole and good; earlier and whole, but no good one; later, but elsewhere.
    for change in (
        {"started_at": NOON + DAY, "table_id": None, "source_table_id": None, "outcome": "refused"},
        {"started_at": NOON - DAY, "form": "whole", "outcome": "partial"},
        {"started_at": NOON - DAY / 2, "form": "whole"},
        {"started_at": NOON + DAY, "namespace": "other", "form": "whole", "outcome": "succeeded"},
    ):
        record(spark, SETTINGS, replace(report, **change))
    found = last_run(spark, SETTINGS)
    assert found is not None
    assert found.whole_age_s == pytest.approx((datetime.now(UTC) - (NOON - DAY)).total_seconds(), abs=60)
    assert replace(found, whole_age_s=None) == last
