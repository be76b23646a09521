"""`documents`: one row per version of a document, cleaned; and `documents_quarantine`: what the rules refused.

By `raw` row: kept (a live row came of it) + withdrawn (only a tombstone) + quarantined (refused) = read, always.
A refused row with a usable id also withdraws: the index must never serve what the source no longer says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import StringType, TimestampType

from pipelines import rules
from pipelines.ids import TOMBSTONE_HASH, content_hash_column
from pipelines.metadata import metadata_json
from pipelines.recipe import documents_recipe
from pipelines.text import clean_text, has_sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import StructType

    from pipelines.settings import Settings


def to_documents(raw: DataFrame, settings: Settings, schema: StructType) -> DataFrame:
    """Turn changes into versions.

    A refused row comes out twice: as it is, for the expectation to drop and count, and, if it has an id and a version,
    as its tombstone. The counts of what became of the raw rows are observed as `documents`.

    Args:
        raw: rows of `raw`, a stream or not.
        settings: which columns make a document.
        schema: of the source, for the types of its metadata and version columns.
    """
    judged = _judged(raw, settings, schema).observe(
        "documents",
        F.count(F.lit(1)).alias("n_read"),
        F.count_if(F.col("refused")).alias("n_quarantined"),
        F.count_if(F.expr("deleted AND NOT refused")).alias("n_withdrawn"),
        F.count_if(F.expr("NOT deleted AND NOT refused")).alias("n_kept"),
    )
    can_withdraw = f"{rules.DOCUMENTS['id_is_present']} AND {rules.DOCUMENTS['version_is_present']}"
    return (
        judged.selectExpr(
            "*", f"explode(if(refused AND {can_withdraw}, array(false, true), array(false))) AS withdrawing"
        )
        .selectExpr("* EXCEPT (deleted)", "deleted OR withdrawing AS deleted")
        .select(
            (content_hash_column(F.col("source_id")) if settings.id_column else F.col("source_id")).alias("doc_id"),
            "source_id",
            "version",
            "deleted",
            _unless_deleted(F.col("document")).alias("document"),
            F.coalesce(
                _unless_deleted(content_hash_column(F.col("document"), F.col("metadata"))), F.lit(TOMBSTONE_HASH)
            ).alias("document_hash"),
            _unless_deleted(F.col("metadata")).alias("metadata"),
            F.lit(settings.source_epoch).alias("source_epoch"),
            "changed_at",
            F.lit(documents_recipe(settings)).alias("recipe"),
        )
    )


def to_documents_quarantine(raw: DataFrame, settings: Settings, schema: StructType) -> DataFrame:
    """Keep the raw rows that a rule refuses, whole, with the names of those rules."""
    judged = _judged(raw, settings, schema).where("refused")
    return judged.selectExpr("raw_row.*", f"{rules.reasons(rules.DOCUMENTS)} AS reasons")


def document_id(settings: Settings, document: str = "document") -> Column:
    """Source id of a row as a column; the text's hash where the source has no id column."""
    if settings.id_column:
        return F.make_valid_utf8(F.col(f"`{settings.id_column}`").cast("string"))
    return content_hash_column(F.col(document))


def _judged(raw: DataFrame, settings: Settings, schema: StructType) -> DataFrame:
    """One row per raw row: what it says, and whether the rules refuse it."""
    version = F.unix_micros("ingested_at")
    if settings.version_column:
        version = F.col(f"`{settings.version_column}`")
        # As a whole number a timestamp would be seconds, and two versions of one second would tie.
        is_time = isinstance(schema[settings.version_column].dataType, TimestampType)
        version = F.unix_micros(version) if is_time else version.cast("bigint")
    return (
        raw.select(
            F.struct("*").alias("raw_row"),  # not `raw`: `raw.*` would be what is left of the table of that name
            _clean()(F.make_valid_utf8(F.col(f"`{settings.text_column}`").cast("string"))).alias("document"),
            F.coalesce("source_version", version).alias("version"),
            F.col("change_type").isin("delete", "update_preimage").alias("is_delete"),
            metadata_json(settings.metadata_columns, schema).alias("metadata"),
            *([document_id(settings).alias("source_id")] if settings.id_column else []),
            "changed_at",
        )
        .select("*", *([] if settings.id_column else [document_id(settings).alias("source_id")]))
        # A text without a sentence is a document withdrawn.
        .selectExpr("*", "is_delete OR document IS NULL AS deleted")
        .selectExpr("*", f"NOT ({rules.holds(rules.DOCUMENTS)}) AS refused")
    )


def _unless_deleted(column: Column) -> Column:
    return F.when(~F.col("deleted"), column)


def _clean() -> Callable[[Column], Column]:
    """Build the function that cleans a text column, NULL where no sentence is left.

    Built where it is used: one made at import belongs to whichever session was there first.
    """

    def clean(texts: pd.Series) -> pd.Series:
        cleaned = (clean_text(text) for text in texts)
        return pd.Series([text if has_sentence(text) else None for text in cleaned], dtype=object)

    return pandas_udf(clean, StringType())  # type: ignore[call-overload, no-any-return]  # the stub wants functionType, deprecated
