"""The dashboard's file: what its widgets show is what its queries give."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from local.health import DASHBOARD, answer, datasets
from pipelines.state_tables import STATE_TABLES
from pipelines.tables import DOCUMENTS, DOCUMENTS_QUARANTINE, EMBEDDINGS, RAW, SENTENCES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.long

SCHEMA = "widgets"
VERSIONS = {"counter": 2, "table": 2, "filter-multi-select": 2, "bar": 3, "line": 3}


def test_every_widget_shows_columns_that_its_query_has(spark: SparkSession) -> None:
    spark.sql(f"CREATE SCHEMA {SCHEMA}")
    for table in (RAW, DOCUMENTS, DOCUMENTS_QUARANTINE, SENTENCES, EMBEDDINGS, *STATE_TABLES):
        spark.createDataFrame([], table.ddl()).write.saveAsTable(f"{SCHEMA}.{table.name}", format="parquet")
    columns = {dataset.name: set(answer(spark, SCHEMA, dataset).columns) for dataset in datasets()}
    spark.sql("USE default")
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    shown = set()
    for page in board["pages"]:
        places = set()
        for item in page["layout"]:
            widget, where = item["widget"], item["position"]
            cells = {(where["x"] + i, where["y"] + j) for i in range(where["width"]) for j in range(where["height"])}
            assert not cells & places
            assert max(x for x, _ in cells) < 6
            places |= cells
            named = set()
            for query in (it["query"] for it in widget["queries"]):
                shown.add(query["datasetName"])
                for field in query["fields"]:
                    named.add(field["name"])
                    assert re.search(r"`(\w+)`", field["expression"])[1] in columns[query["datasetName"]]
            assert set(re.findall(r'"fieldName": "(.+?)"', json.dumps(widget["spec"]))) == named
            assert widget["spec"]["version"] == VERSIONS[widget["spec"]["widgetType"]]
    assert shown == set(columns)
    assert all(line.endswith("\n") for it in board["datasets"] for line in it["queryLines"])
