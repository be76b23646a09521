"""`raw` from a real change feed, and what its versions mean once they are documents."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from pipelines.ids import doc_id
from pipelines.recipe import documents_recipe
from pipelines.settings import Settings
from pipelines.tables import RAW
from pipelines.to_documents import to_documents
from pipelines.to_raw import to_raw
from pipelines.winner import Head, winner

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TABLE = "to_raw.articles"
CHANGES = Settings(source_table=TABLE)
APPENDS = Settings(source_table=TABLE, source_mode="appends")


@pytest.fixture(scope="module")
def feed(spark: SparkSession) -> DataFrame:
    """Give the change feed of a table that saw every kind of commit."""
    for statement in (
        "CREATE SCHEMA to_raw",
        f"CREATE TABLE {TABLE} (id STRING, text STRING) USING delta TBLPROPERTIES (delta.enableChangeDataFeed = true)",
        f"INSERT INTO {TABLE} VALUES ('kept', 'A.'), ('edited', 'B.'), ('renamed', 'C.'), ('gone', 'D.')",
        f"UPDATE {TABLE} SET text = 'Bee.' WHERE id = 'edited'",
        f"UPDATE {TABLE} SET id = 'new name' WHERE id = 'renamed'",
        f"DELETE FROM {TABLE} WHERE id = 'gone'",
        f"INSERT OVERWRITE {TABLE} SELECT * FROM {TABLE}",
    ):
        spark.sql(statement)
    return spark.sql(f"SELECT * FROM table_changes('{TABLE}', 0)")


def test_the_feeds_columns_get_names_that_delta_lets_a_table_have(feed: DataFrame) -> None:
    raw = to_raw(feed, CHANGES)
    assert raw.columns == ["id", "text", *RAW.columns]
    rows = (
        raw.where("id IN ('edited', 'gone') AND source_version < 5")
        .orderBy("source_version", "id", "change_type")
        .collect()
    )
    assert [(row.id, row.change_type, row.source_version) for row in rows] == [
        ("edited", "insert", 1),
        ("gone", "insert", 1),
        ("edited", "update_postimage", 2),
        ("edited", "update_preimage", 2),
        ("gone", "delete", 4),
    ]
    assert all(row.changed_at <= row.ingested_at for row in rows)


def test_appends_are_inserts_whose_version_is_left_open(spark: SparkSession) -> None:
    row = to_raw(spark.sql("SELECT 1 AS id, 'A.' AS text"), APPENDS).collect()[0]
    assert list(row.asDict()) == ["id", "text", *RAW.columns]
    assert (row.change_type, row.source_version) == ("insert", None)
    assert row.changed_at == row.ingested_at


def test_what_the_feed_says_makes_the_right_documents_live(feed: DataFrame) -> None:
    heads = defaultdict(list)
    for row in to_documents(to_raw(feed, CHANGES), CHANGES, feed.select("id", "text").schema).collect():
        head = Head(row.doc_id, row.source_epoch, row.version, row.deleted, row.recipe, row.document_hash, 0, 0)
        heads[row.source_id].append((head, row.document))
    won = {}
    for source_id, versions in heads.items():
        best = winner([head for head, _ in versions], documents_recipe(CHANGES))
        won[source_id] = next(document for head, document in versions if head == best)
        assert best.doc_id == doc_id(source_id)
    # INSERT OVERWRITE deleted and inserted every row in one version; an UPDATE of the id left the old one behind.
    assert won == {"kept": "A.", "edited": "Bee.", "new name": "C.", "renamed": None, "gone": None}
