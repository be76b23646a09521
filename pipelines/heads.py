"""The winners of all documents, in Spark: `winner` over narrow columns of `embeddings`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_VERSION = ("doc_id", "source_epoch", "version", "deleted", "recipe", "document_hash")
_COUNTED = ("source_id", "model", "changed_at", "n_sentences", "ordinal")


def to_heads(embeddings: DataFrame, recipe: str) -> DataFrame:
    """Find each document's winning version; the rule is `winner`'s, and a test holds them equal.

    Args:
        embeddings: all rows of `embeddings`; repeated ones count once.
        recipe: the current one.

    Returns:
        One row a document: the version's columns, `source_id`, `model`, `changed_at`, `n_sentences`, `n_rows`
        (sentences that are here), `n_tied` (texts that claim this version).
    """
    # All of a document in one place at once: each step below needs that, and would move the rows again.
    rows = embeddings.select(*_VERSION, *_COUNTED).repartition("doc_id")
    versions = rows.groupBy(*_VERSION).agg(
        F.max("source_id").alias("source_id"),
        F.max("model").alias("model"),
        F.max("changed_at").alias("changed_at"),
        F.max("n_sentences").alias("n_sentences"),
        F.count_distinct("ordinal").alias("n_rows"),
    )
    order = Window.partitionBy("doc_id").orderBy(
        F.desc("source_epoch"), F.desc("version"), "deleted", F.col("recipe") != recipe, "document_hash", "recipe"
    )
    tie = Window.partitionBy("doc_id", "source_epoch", "version", "deleted", "recipe")
    return (
        versions.select("*", F.row_number().over(order).alias("rank"), F.count("*").over(tie).alias("n_tied"))
        .where("rank = 1")
        .drop("rank")
    )
