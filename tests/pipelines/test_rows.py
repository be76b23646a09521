"""Rows come one by one, whole, and their vectors as numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipelines.rows import iterate_rows

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
