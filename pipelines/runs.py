"""`sync_runs` of one namespace: what every run did, and where the last one stopped."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.form import GOOD, LastRun
from pipelines.place import is_here
from pipelines.state_tables import SYNC_RUNS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipelines.report import SyncReport
    from pipelines.settings import Settings


def record(spark: SparkSession, settings: Settings, report: SyncReport) -> None:
    """Append one row."""
    values = asdict(report)
    row = spark.createDataFrame([tuple(values[name] for name in SYNC_RUNS.columns)], SYNC_RUNS.ddl())
    row.writeTo(settings.table(SYNC_RUNS.name)).append()  # by name: an older table has another order


def last_run(spark: SparkSession, settings: Settings) -> LastRun | None:
    """Return the last run of this index and namespace that came to look at the tables; None where there was none."""
    table = settings.table(SYNC_RUNS.name)
    if not spark.catalog.tableExists(table):
        return None
    runs = spark.table(table).where("table_id IS NOT NULL").where(is_here(settings))
    columns = [name for name in LastRun.__dataclass_fields__ if name != "whole_age_s"]
    good_whole = F.expr("form = 'whole'") & F.col("outcome").isin(*GOOD)
    found: Any = runs.agg(
        F.max_by(F.struct(*columns), "started_at").alias("last"),
        F.max(F.when(good_whole, F.col("started_at"))).alias("whole_at"),
    )
    age_s = F.expr("(unix_micros(current_timestamp()) - unix_micros(whole_at)) / 1e6")
    found = found.select("last", age_s.cast("double").alias("whole_age_s")).collect()[0]
    return LastRun(**found.last.asDict(), whole_age_s=found.whole_age_s) if found.last else None
