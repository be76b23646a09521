"""The bundle's alerts, evaluated as the service does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from local import REPOSITORY

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ALERTS: dict[str, Any] = {}
for path in (REPOSITORY / "resources").glob("*.alert.yml"):
    ALERTS |= yaml.safe_load(path.read_text(encoding="utf-8"))["resources"]["alerts"]


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
