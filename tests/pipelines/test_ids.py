"""Ids and hashes: the same everywhere, in Python and in Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.ids import content_hash, content_hash_column, doc_id, record_id

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ODD = ["", " ", "a", "guide/setup.md", "naïve", "e\u0301", "\U0001f600\U0001f680", "漢字", "a\nb\tc", "\ufffd", "'\"\\"]


def test_ids_are_the_start_of_a_sha256_for_ever() -> None:
    assert doc_id("guide/setup.md") == content_hash("guide/setup.md") == "f58c7c72bababaa51abc80d4b448a2e1"
    assert content_hash("") == "e3b0c44298fc1c149afbf4c8996fb924"
    assert content_hash("\U0001f600") == "f0443a342c5ef54783a111b51ba56c93"


def test_a_record_is_named_by_document_and_position() -> None:
    assert record_id("d", 0) == "d#0"
    assert record_id("d", 12) == "d#12"
    assert record_id("d", None) == "d#"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 2**31))
def test_any_source_id_gives_an_id_pinecone_takes(source_id: str, ordinal: int) -> None:
    made = record_id(doc_id(source_id), ordinal)
    assert made.isascii()
    assert len(made) <= 512


def test_spark_computes_the_same_hashes(spark: SparkSession) -> None:
    rows = spark.createDataFrame(list(zip(ODD, ODD[::-1], strict=True)), "a STRING, b STRING").select(
        "a",
        "b",
        content_hash_column(F.col("a")).alias("one"),
        content_hash_column(F.col("a"), F.col("b")).alias("two"),
        content_hash_column(F.col("a"), F.lit(None).cast("string")).alias("none"),
    )
    for row in rows.collect():
        assert row.one == content_hash(row.a)
        assert row.two == content_hash(f"{row.a}\0{row.b}\0")
        assert row.none is None


def test_what_moves_from_one_column_to_the_next_changes_the_hash(spark: SparkSession) -> None:
    row = spark.range(1).select(
        content_hash_column(F.lit("ab"), F.lit("c")).alias("x"), content_hash_column(F.lit("a"), F.lit("bc")).alias("y")
    )
    assert row.where("x = y").count() == 0
