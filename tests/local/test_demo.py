"""The demo's two changes, made to a real source table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from local.demo import edit, two_documents
from pipelines.errors import SourceError
from pipelines.ids import doc_id
from pipelines.settings import Settings
from pipelines.state import State

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.long

TEXTS = {"guide/it's.md": "One's text.", 'a "quoted" \\id': "Another.", "long": "Much. More. Of this."}


@pytest.fixture(scope="module")
def settings(spark: SparkSession) -> Settings:
    chosen = Settings(source_table="demo.articles", schema="demo", id_column="order")
    State(spark, chosen).create()
    rows = spark.createDataFrame(list(TEXTS.items()), "`order` STRING, text STRING")
    rows.write.saveAsTable("demo.articles")
    return chosen


def held(source_id: str, n_records: int) -> dict[str, object]:
    """Make the row of a document that a sync wrote."""
    return {
        "doc_id": doc_id(source_id),
        "source_id": source_id,
        "version": 1,
        "deleted": not n_records,
        "recipe": "recipe",
        "document_hash": "hash",
        "payload_hashes": ["hash"] * n_records,
        "model": "model",
        "changed_at": datetime(2026, 1, 1, tzinfo=UTC),
    }


def test_the_two_shortest_documents_are_changed_in_the_source_and_no_other(
    spark: SparkSession, settings: Settings
) -> None:
    state = State(spark, settings)
    with pytest.raises(SourceError, match="needs two documents, the index holds 0"):
        two_documents(spark, settings)
    deleted, edited, other = TEXTS
    state.append([held("gone", 0), held(other, 3), held(edited, 2), held(deleted, 1)])
    assert two_documents(spark, settings) == (deleted, edited)

    edit(spark, settings, edited, deleted)
    assert {row["order"]: row.text for row in spark.table("demo.articles").collect()} == {
        edited: "Another.\n\nThis sentence was added by the demo.",
        other: TEXTS[other],
    }
