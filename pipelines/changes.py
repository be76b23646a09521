"""What became of each document since the index last took it: heads against what the index holds.

A delete needs proof: a tombstone that won, or an id that the source does not hold now. A row that is merely missing
proves nothing; a table may be in the middle of a refresh.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.ids import TOMBSTONE_HASH

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.form import Holding

# The rule of `status`, in SQL.
_GONE = "(forgotten OR (source_known AND NOT in_source))"
_STATUS = f"""
    CASE
        WHEN NOT head_known AND held_deleted THEN if(held_hash <=> '{TOMBSTONE_HASH}', 'same', 'delete')
        WHEN {_GONE} OR deleted THEN if(held_known AND held_hash <=> '{TOMBSTONE_HASH}', 'same', 'delete')
        WHEN NOT head_known THEN 'pending'
        WHEN recipe <> current_recipe OR n_rows <> n_sentences THEN 'pending'
        WHEN held_known AND NOT held_deleted AND held_hash <=> document_hash AND held_recipe <=> recipe THEN 'same'
        ELSE 'write'
    END
"""
_RESHAPED = """
    status <> 'same' AND NOT deleted AND NOT forgotten
    AND split_part(recipe, '/', 1) <> split_part(current_recipe, '/', 1)
"""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a sync is about to do, counted before it does it."""

    n_documents: int  # live winners, pending ones included
    n_sentences: int  # theirs
    n_changed: int  # documents to write or delete
    n_pending: int  # documents held back
    n_pending_recipe: int  # of those, the ones of another recipe: settings changed
    n_tied: int  # documents with two texts in one version
    n_gone: int  # documents to delete for the source's word alone, without a tombstone
    n_reshaped: int  # open ones that other columns made, so that their ids may not be the source's of today
    n_held: int  # records the index may hold
    n_deletes: int  # of those, the ones to delete
    n_known: int  # of those, the ones known to be there; it serves `among` alone, as the next one does
    n_held_live: int  # documents that are live ones by what is held of them
    n_same: int  # records of documents that did not change
    n_desired: int  # records of documents to write
    n_waiting: int  # records known to be in the index, of documents held back
    held_models: frozenset[str]  # of records the index may hold
    new_models: frozenset[str]  # of records to write

    @property
    def other_models(self) -> list[str]:
        """Models of held records, where records of another model are to be written."""
        return sorted(self.held_models - self.new_models) if self.new_models else []

    def among(self, all_held: Holding) -> Summary:
        """Add the documents that were not compared, for they are as the index holds them.

        Args:
            all_held: what `index_state` says of the namespace, those that were compared included.
        """
        n_room = all_held.n_room - self.n_held
        return replace(
            self,
            n_documents=self.n_documents + all_held.n_live - self.n_held_live,
            n_sentences=self.n_sentences + n_room,
            n_held_live=all_held.n_live,
            n_held=all_held.n_room,
            n_known=all_held.n_known,
            n_same=self.n_same + all_held.n_known - self.n_known,
            held_models=self.held_models | set(all_held.models),
        )


NOTHING = Summary(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, frozenset(), frozenset())  # no document at all


def to_changes(
    heads: DataFrame, held: DataFrame, source_ids: DataFrame | None, forgotten: DataFrame, recipe: str
) -> DataFrame:
    """Classify every document.

    Args:
        heads: from `to_heads`.
        held: rows of `index_state` of one index and namespace.
        source_ids: column `doc_id`, one row per document the source holds now; None where that cannot be known.
        forgotten: column `doc_id`, one row per document that must stay out.
        recipe: the current one.

    Returns:
        One row a document: `status` (same, write, delete or pending), the head's columns, and what is held of it.
    """
    held = held.select(
        "doc_id",
        F.lit(True).alias("held_known"),
        F.col("source_id").alias("held_source_id"),
        F.col("version").alias("held_version"),
        F.col("document_hash").alias("held_hash"),
        F.col("recipe").alias("held_recipe"),
        F.col("model").alias("held_model"),
        F.col("deleted").alias("held_deleted"),
        F.col("changed_at").alias("held_changed_at"),
        F.col("payload_hashes").alias("held"),
    )
    documents = heads.select("*", F.lit(True).alias("head_known")).join(held, "doc_id", "full")
    if source_ids is None:
        known = documents.select("*", F.lit(False).alias("source_known"), F.lit(True).alias("in_source"))
    else:
        ids = source_ids.distinct().select("doc_id", F.lit(True).alias("in_source"))
        known = documents.join(ids, "doc_id", "left").select("*", F.lit(True).alias("source_known"))
    known = known.join(forgotten.select("doc_id", F.lit(True).alias("forgotten")), "doc_id", "left")
    flags = ("head_known", "held_known", "held_deleted", "deleted", "in_source", "forgotten")
    rest = [name for name in known.columns if name not in flags]
    return known.select(
        *rest,
        *(F.coalesce(flag, F.lit(False)).alias(flag) for flag in flags),
        F.lit(recipe).alias("current_recipe"),
    ).select("*", F.expr(_STATUS).alias("status"))


def summarise(changes: DataFrame) -> Summary:
    """Count what `to_changes` found. One Spark job."""
    live = F.expr(f"head_known AND NOT deleted AND NOT ({_GONE})")
    n_deletes = F.expr(
        "CASE status WHEN 'delete' THEN n_held WHEN 'write' THEN greatest(0, n_held - n_sentences) ELSE 0 END"
    )
    sizes = "coalesce(array_size(held), 0) AS n_held", "coalesce(array_size(array_compact(held)), 0) AS n_known"
    counted = changes.selectExpr("*", *sizes).agg(
        F.count_if(live).alias("n_documents"),
        F.sum(F.when(live, F.col("n_sentences"))).alias("n_sentences"),
        F.count_if(F.expr("status IN ('write', 'delete')")).alias("n_changed"),
        F.count_if(F.expr("status = 'pending'")).alias("n_pending"),
        F.count_if(F.expr("status = 'pending' AND recipe <> current_recipe")).alias("n_pending_recipe"),
        F.count_if(F.expr("n_tied > 1 AND NOT deleted")).alias("n_tied"),
        F.count_if(F.expr("status = 'delete' AND NOT forgotten AND NOT (head_known AND deleted)")).alias("n_gone"),
        F.count_if(F.expr(_RESHAPED)).alias("n_reshaped"),
        F.count_if(F.expr("held_known AND NOT held_deleted")).alias("n_held_live"),
        F.sum("n_held").alias("n_held"),
        F.sum("n_known").alias("n_known"),
        F.sum(n_deletes).alias("n_deletes"),
        F.sum(F.expr("if(status = 'write', n_sentences, 0)")).alias("n_desired"),
        F.sum(F.expr("if(status = 'same', n_known, 0)")).alias("n_same"),
        F.sum(F.expr("if(status = 'pending', n_known, 0)")).alias("n_waiting"),
        F.collect_set(F.when(F.expr("n_held > 0"), F.col("held_model"))).alias("held_models"),
        F.collect_set(F.when(F.expr("status = 'write'"), F.col("model"))).alias("new_models"),
    )
    counts = counted.collect()[0].asDict()
    held_models, new_models = frozenset(counts.pop("held_models")), frozenset(counts.pop("new_models"))
    numbers = {name: count or 0 for name, count in counts.items()}
    return Summary(**numbers, held_models=held_models, new_models=new_models)
