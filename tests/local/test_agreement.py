"""What the tables are asked, on Spark; that each disagreement is said stands in test_smoke.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.agreement import of_tables
from pipelines.settings import load_settings
from pipelines.sql import sql_string
from pipelines.state_tables import INDEX_STATE, SYNC_RUNS
from tests.local.deployment import PARAMETERS, REPORT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import SparkSession

HERE = {"index": "docs", "namespace": "it's"}


def test_last_rows_of_documents_and_records_known_are_counted_and_the_last_run_is_found(spark: SparkSession) -> None:
    def row(doc_id: str, seq: int, *hashes: str | None, deleted: bool = False, index: str = "docs") -> dict[str, Any]:
        return {**HERE, "index": index, "doc_id": doc_id, "deleted": deleted, "payload_hashes": [*hashes], "seq": seq}

    state = [
        row("a", 1, "old", "old", "old"),
        row("a", 2, "new", None),
        row("b", 1, "x"),
        row("b", 3, deleted=True),
        row("c", 1, "x", "y"),
        row("c", 9, "x", "y", "z", index="another"),
        {**row("c", 9, "x", "y", "z"), "namespace": "another"},
    ]
    days = {"r1": 2, "r0": 1}
    runs = [{**HERE, "run_id": name, "started_at": datetime(2026, 1, day, tzinfo=UTC)} for name, day in days.items()]
    settings = load_settings({**PARAMETERS, "namespace": HERE["namespace"]})
    for table, rows in ((INDEX_STATE, state), (SYNC_RUNS, runs)):
        whole = [tuple(row.get(name) for name in table.columns) for row in rows]
        spark.createDataFrame(whole, table.ddl()).createOrReplaceTempView(f"smoke_{table.name}")

    def ask(statement: str, parameters: Mapping[str, str]) -> Sequence[str | None]:
        for table in (INDEX_STATE, SYNC_RUNS):
            statement = statement.replace(settings.table(table.name), f"smoke_{table.name}")
        for name, value in parameters.items():  # Delta's parser binds no parameters in Spark 4.2
            statement = statement.replace(f":{name}", sql_string(value))
        return list(spark.sql(statement).collect()[0])

    checks = list(of_tables(replace(REPORT, namespace=HERE["namespace"]), settings, ask))
    assert [(check.found, check.holds) for check in checks] == [("2", True), ("3", True), ("r1", True)]
