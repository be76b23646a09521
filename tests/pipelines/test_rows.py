"""Rows come one by one, whole, and their vectors as numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pyspark.errors import PySparkException

from pipelines.rows import iterate_rows, kept, these

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, Row, SparkSession

N_ROWS = 1_000


class WithoutArrow:
    """A DataFrame as classic Spark has it: no Connect client behind its session."""

    def __init__(self, frame: DataFrame) -> None:
        self._frame = frame
        self.schema = frame.schema
        self.sparkSession = object()

    def toLocalIterator(self) -> Iterator[Row]:  # noqa: N802  # Spark's name
        return self._frame.toLocalIterator()


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> Iterator[DataFrame]:
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "64")
    yield spark.range(N_ROWS, numPartitions=3).selectExpr(
        "id",
        "if(id % 7 = 0, NULL, array(CAST(id AS FLOAT), 0.5F)) AS vector",
        "if(id % 5 = 0, NULL, concat('é', id)) AS text",
        "if(id % 3 = 0, NULL, array('a', NULL, CAST(id AS STRING))) AS hashes",
    )
    spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")


@pytest.mark.parametrize("wrap", [lambda frame: frame, WithoutArrow], ids=["arrow", "python"])
def test_every_row_comes_once_and_whole(frame: DataFrame, wrap: Any) -> None:
    rows = list(iterate_rows(wrap(frame)))
    assert sorted(row["id"] for row in rows) == list(range(N_ROWS))
    for row in rows:
        i = row["id"]
        assert row["text"] == (None if i % 5 == 0 else f"é{i}")
        assert row["hashes"] == (None if i % 3 == 0 else ["a", None, str(i)])
        if i % 7 == 0:
            assert row["vector"] is None
        else:
            assert isinstance(row["vector"], np.ndarray)
            assert row["vector"].dtype == np.float32
            assert row["vector"].tolist() == [i, 0.5]


def test_nothing_comes_of_nothing(frame: DataFrame) -> None:
    assert list(iterate_rows(frame.where("id < 0"))) == []


def test_what_is_kept_is_computed_once_and_else_again(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = spark.range(3).selectExpr("uuid() AS drawn", "id AS doc_id")
    once = kept(drawn)
    assert once.collect() == once.collect()

    def refused(_frame: DataFrame) -> DataFrame:
        raise PySparkException("[NOT_SUPPORTED_WITH_SERVERLESS] it keeps nothing")

    monkeypatch.setattr(type(drawn), "localCheckpoint", refused)
    assert kept(drawn) is drawn
    assert these(drawn, None) is drawn
    assert [row.doc_id for row in these(drawn, spark.range(2, 9).toDF("doc_id")).collect()] == [2]
