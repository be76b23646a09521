"""Versions of documents from rows of a source without a change feed: what orders them, what becomes of odd rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.ids import TOMBSTONE_HASH, content_hash, doc_id
from pipelines.rules import DOCUMENTS
from pipelines.settings import Settings
from pipelines.to_documents import to_documents, to_documents_quarantine
from pipelines.to_raw import to_raw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, Row, SparkSession

APPENDS = Settings(source_table="a.b", source_mode="appends")
COLUMNS = "id STRING, text STRING, number BIGINT, time TIMESTAMP"
A_SECOND = 1_000_000  # in microseconds
NOON = 1_767_268_800  # 2026-01-01 12:00 UTC, in seconds


def source(spark: SparkSession, *rows: Sequence[Any]) -> DataFrame:
    """Rows of `COLUMNS`, whose time is given in seconds since 1970."""
    frame = spark.createDataFrame([tuple(row) for row in rows], COLUMNS.replace("TIMESTAMP", "DOUBLE"))
    return frame.selectExpr("id", "text", "number", "timestamp_micros(CAST(time * 1e6 AS BIGINT)) AS time")


def documents(frame: DataFrame, settings: Settings) -> list[Row]:
    """Rows that pass the rules, in order of version."""
    made = to_documents(to_raw(frame, settings), settings, frame.schema)
    for condition in DOCUMENTS.values():
        made = made.where(condition)
    return made.orderBy("version", "deleted").collect()


def test_versions_are_the_column_named_for_them(spark: SparkSession) -> None:
    frame = source(spark, ("a", "Old.", 7, NOON + 0.5), ("a", "New.", 9, NOON + 0.25))
    by_number = documents(frame, replace(APPENDS, version_column="number"))
    assert [(row.version, row.document) for row in by_number] == [(7, "Old."), (9, "New.")]
    by_time = documents(frame, replace(APPENDS, version_column="time"))
    assert [(row.version, row.document) for row in by_time] == [
        (NOON * A_SECOND + 250_000, "New."),
        (NOON * A_SECOND + 500_000, "Old."),
    ]


def test_without_a_version_column_the_time_of_reading_orders_versions(spark: SparkSession) -> None:
    (row,) = documents(source(spark, ("a", "A text.", None, NOON)), APPENDS)
    assert row.version > NOON * A_SECOND  # now, in microseconds
    assert row.version == round(row.changed_at.timestamp() * A_SECOND)


def test_without_an_id_column_a_text_is_its_own_id(spark: SparkSession) -> None:
    settings = replace(APPENDS, id_column="")
    rows = documents(source(spark, (None, "A text.", None, None), (None, "Another.", None, None)), settings)
    assert {row.document: (row.doc_id, row.source_id) for row in rows} == {
        "A text.": (content_hash("A text."),) * 2,
        "Another.": (content_hash("Another."),) * 2,
    }


BINARY = "\ufffd" * 60


@pytest.mark.parametrize(
    ("row", "reasons", "withdraws"),
    [
        (("a", "A text.", 1), [], False),
        (("a", None, 1), [], True),
        (("a", " ||||| \n", 1), [], True),
        (("a", "A text.", None), ["version_is_present"], False),
        (("a", BINARY, 1), ["text_is_readable"], True),
        (("a", BINARY, None), ["version_is_present", "text_is_readable"], False),
        ((" ", "A text.", 1), ["id_is_present"], False),
        ((None, BINARY, 1), ["id_is_present", "text_is_readable"], False),
        ((None, None, 1), ["id_is_present"], False),
    ],
)
def test_a_row_is_kept_withdrawn_or_quarantined_and_a_refused_one_withdraws_what_it_can_name(
    spark: SparkSession, row: tuple[Any, ...], reasons: list[str], withdraws: bool
) -> None:
    settings = replace(APPENDS, version_column="number")
    frame = source(spark, (*row, NOON))
    refused = to_documents_quarantine(to_raw(frame, settings), settings, frame.schema).collect()
    assert [found.reasons for found in refused] == ([reasons] if reasons else [])
    assert [found.text for found in refused] == ([row[1]] if reasons else [])

    made = documents(frame, settings)
    if withdraws:
        assert [(it.doc_id, it.deleted, it.document, it.document_hash, it.version) for it in made] == [
            (doc_id("a"), True, None, TOMBSTONE_HASH, 1)
        ]
    else:
        assert [(it.doc_id, it.deleted, it.document) for it in made] == (
            [] if reasons else [(doc_id("a"), False, "A text.")]
        )
