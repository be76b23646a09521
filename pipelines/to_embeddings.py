"""`embeddings`: one row per sentence, ready for the index."""

from __future__ import annotations

from collections.abc import Iterator  # noqa: TC003  # pandas_udf reads the hints at run time
from typing import TYPE_CHECKING

import pandas as pd
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import ArrayType, BooleanType, FloatType, StringType, StructField, StructType

from pipelines.errors import ModelError
from pipelines.recipe import model_recipe
from pipelines.weights import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame

    from pipelines.settings import Settings

_EMBEDDING = StructType(
    [
        StructField("vector", ArrayType(FloatType())),
        StructField("model", StringType()),
        StructField("embedded", BooleanType()),
    ]
)


def to_embeddings(sentences: DataFrame, settings: Settings) -> DataFrame:
    """Embed each sentence, and put together what its record in the index will say.

    How many sentences went through the model is observed as `embeddings`.

    Args:
        sentences: rows of `sentences`, a stream or not.
        settings: which model, and the namespace to note.
    """
    embed = _embed(settings.model_path or None, settings.precision)
    ours = F.to_json(F.struct(F.col("sentence").alias("text"), "doc_id", "source_id", "ordinal"))
    return (
        sentences.select("*", embed(F.col("sentence")).alias("embedding"))
        .select(
            "id",
            "embedding.vector",
            F.lit(settings.namespace).alias("namespace"),
            F.when(~F.col("deleted"), _joined(ours, F.col("metadata"))).alias("metadata"),
            "doc_id",
            "source_id",
            "version",
            "ordinal",
            "n_sentences",
            "text_hash",
            "document_hash",
            "embedding.model",
            F.concat("recipe", F.lit(model_recipe(settings))).alias("recipe"),
            "deleted",
            "source_epoch",
            "changed_at",
            "embedding.embedded",
        )
        .observe("embeddings", F.count_if(F.col("embedded")).alias("n_embedded"))
    )


def _joined(ours: Column, theirs: Column) -> Column:
    """Make one JSON object of two that share no key (`Settings` sees to that); only `theirs` may be empty."""
    return F.when(theirs == "{}", ours).otherwise(
        F.concat(
            F.substring(ours, F.lit(1), F.length(ours) - 1), F.lit(","), F.substring(theirs, F.lit(2), F.length(theirs))
        )
    )


def _embed(model_path: str | None, precision: str) -> Callable[[Column], Column]:
    """Build the function from sentences to vectors. A tombstone's NULL never reaches the model."""
    expected = fingerprint(model_path, precision)

    def embed(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        from pipelines.embedder import shared_embedder  # noqa: PLC0415  # torch, in workers only

        # Spark runs one worker a core, so one thread each.
        embedder = shared_embedder(model_path, precision, 1)
        if embedder.fingerprint != expected:
            raise ModelError(f"the model that ran is {embedder.fingerprint}, the settings say {expected}")
        for sentences in batches:
            embedded = sentences.notna()
            vectors = iter(embedder.encode(sentences[embedded].tolist()))
            yield pd.DataFrame(
                {
                    "vector": pd.Series([next(vectors) if live else None for live in embedded], dtype=object),
                    "model": embedded.map({True: expected, False: None}),
                    "embedded": embedded,
                }
            )

    return pandas_udf(embed, _EMBEDDING)  # type: ignore[call-overload, no-any-return]  # the stub wants functionType, deprecated
