"""`embeddings`: one row per sentence, ready for the index."""

from __future__ import annotations

from collections.abc import Iterator  # noqa: TC003  # pandas_udf reads the hints at run time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import ArrayType, BooleanType, FloatType, StringType, StructField, StructType

from pipelines.recipe import model_recipe
from pipelines.weights import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from pyspark.sql import Column, DataFrame

    from pipelines.settings import Settings

_EMBEDDING = StructType(
    [
        StructField("vector", ArrayType(FloatType())),
        StructField("model", StringType()),
        StructField("embedded", BooleanType()),
    ]
)


def to_embeddings(sentences: DataFrame, kept: DataFrame | None, settings: Settings) -> DataFrame:
    """Embed each sentence that has no kept vector, and put together what its record in the index will say.

    How many sentences went through the model, and how many were served without, is observed as `embeddings`.

    Args:
        sentences: rows of `sentences`, a stream or not.
        kept: vectors by `text_hash`, from `kept_vectors`; None where there are none.
        settings: which model, and the namespace to note.
    """
    embed = _embed(settings.model_path or None, settings.precision)
    if kept is None:
        known = sentences.select("*", F.lit(None).cast("binary").alias("kept_vector"))
    else:
        known = sentences.join(kept, "text_hash", "left")
    ours = F.to_json(F.struct(F.col("sentence").alias("text"), "doc_id", "source_id", "ordinal"))
    return (
        known.select("*", embed(F.col("sentence"), F.col("kept_vector")).alias("embedding"))
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
        .observe(
            "embeddings",
            F.count_if("embedded").alias("n_embedded"),
            F.count_if(~F.col("embedded") & ~F.col("deleted")).alias("n_served"),
        )
    )


def _joined(ours: Column, theirs: Column) -> Column:
    """Make one JSON object of two that share no key (`Settings` sees to that); only `theirs` may be empty."""
    return F.when(theirs == "{}", ours).otherwise(
        F.concat(
            F.substring(ours, F.lit(1), F.length(ours) - 1), F.lit(","), F.substring(theirs, F.lit(2), F.length(theirs))
        )
    )


def _embed(model_path: str | None, precision: str) -> Callable[[Column, Column], Column]:
    """Build the function from sentences and their kept vectors, if any, to vectors.

    It runs for every row, so what was kept comes in and goes out again. A tombstone's NULL never reaches the model.
    """
    expected = fingerprint(model_path, precision)
    # Squares of lengths: of the packaged model's vectors, and those that the rules of `embeddings` let pass.
    shortest, longest = (0.999, 1.001) if model_path is None else (1e-12, 1e12)

    def is_sound(vector: NDArray[np.float32]) -> bool:
        return bool(shortest <= np.dot(vector, vector) <= longest)  # false of NaN, too

    def embed(batches: Iterator[tuple[pd.Series, pd.Series]]) -> Iterator[pd.DataFrame]:
        from pyspark import TaskContext  # noqa: PLC0415  # of a worker

        from pipelines.once import Once, shared_once  # noqa: PLC0415  # of a worker

        model = (model_path, precision, expected)
        task = TaskContext.get()  # not every sandbox says
        once = shared_once(*model, (task.stageId(), task.attemptNumber())) if task else Once(*model)
        for sentences, kept in batches:
            vectors = [None if data is None else np.frombuffer(data, dtype="<f4") for data in kept]
            wanted = [
                i
                for i, (sentence, vector) in enumerate(zip(sentences, vectors, strict=True))
                if sentence is not None and (vector is None or not is_sound(vector))
            ]
            embedded = np.zeros(len(sentences), dtype=bool)
            made, embedded[wanted] = once.embed([sentences[i] for i in wanted])
            for i, vector in zip(wanted, made, strict=True):
                vectors[i] = vector
            live = sentences.notna()
            yield pd.DataFrame(
                {
                    "vector": pd.Series(vectors, dtype=object).where(live, None),
                    "model": live.map({True: expected, False: None}),
                    "embedded": embedded,
                }
            )

    return pandas_udf(embed, _EMBEDDING)  # type: ignore[call-overload, no-any-return]  # the stub wants functionType, deprecated
