"""`sentences`: one row per sentence of a version; a tombstone passes as one row without a sentence."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pandas as pd
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import ArrayType, IntegerType, StringType, StructField, StructType

from pipelines.ids import content_hash_column
from pipelines.recipe import splitter_recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame

    from pipelines.sentences import Sentence
    from pipelines.settings import Settings

_PIECES = ArrayType(
    StructType(
        [
            StructField("sentence", StringType()),
            StructField("start_char", IntegerType()),
            StructField("end_char", IntegerType()),
        ]
    )
)


def to_sentences(documents: DataFrame, settings: Settings) -> DataFrame:
    """Split each document into sentences, none longer than the model's window.

    Args:
        documents: rows of `documents`, a stream or not.
        settings: which model's window.

    Returns:
        Rows of `sentences`. `ordinal` counts from 0 in every document.
    """
    pieces = _pieces(settings.model_path or None)
    return (
        documents.select("*", pieces(F.col("document")).alias("pieces"))
        .select("*", F.posexplode_outer("pieces").alias("ordinal", "piece"))
        .select(
            F.concat("doc_id", F.lit("#"), F.coalesce(F.col("ordinal").cast("string"), F.lit(""))).alias("id"),
            "doc_id",
            "version",
            "ordinal",
            F.coalesce(F.array_size("pieces"), F.lit(0)).alias("n_sentences"),
            "piece.sentence",
            "piece.start_char",
            "piece.end_char",
            content_hash_column(F.col("piece.sentence")).alias("text_hash"),
            "source_id",
            "document_hash",
            "metadata",
            F.col("ordinal").isNull().alias("deleted"),
            "source_epoch",
            "changed_at",
            F.concat("recipe", F.lit(splitter_recipe(settings))).alias("recipe"),
        )
    )


def _pieces(model_path: str | None) -> Callable[[Column], Column]:
    """Build the function from documents to their pieces, NULL for a tombstone."""

    def pieces(documents: pd.Series) -> pd.Series:
        splitter = _splitter(model_path)
        found = [
            None
            if text is None
            else [{"sentence": s.text, "start_char": s.start, "end_char": s.end} for s in splitter(text)]
            for text in documents
        ]
        return pd.Series(found, dtype=object)

    return pandas_udf(pieces, _PIECES)  # type: ignore[call-overload, no-any-return]  # the stub wants functionType, deprecated


@cache
def _splitter(model_path: str | None) -> Callable[[str], list[Sentence]]:
    """Load the tokenizer once a worker; and check there, where it matters, that the pinned versions run."""
    from pipelines.model import find_model  # noqa: PLC0415
    from pipelines.recipe import check_pins  # noqa: PLC0415  # workers only: the driver needs neither package
    from pipelines.sentences import split_sentences  # noqa: PLC0415
    from pipelines.tokenizer import load_tokenizer  # noqa: PLC0415
    from pipelines.window import split_to_window  # noqa: PLC0415

    check_pins()
    model = find_model(model_path)
    tokenizer = load_tokenizer(model.folder)

    def split(text: str) -> list[Sentence]:
        return [
            piece
            for sentence in split_sentences(text)
            for piece in split_to_window(sentence, tokenizer, model.max_tokens)
        ]

    return split
