"""`embedding_cache`: the vectors that a model made, so that it never makes them again.

It stands outside the pipeline, which a refresh empties. The pipeline reads it, the job adds to it. Whatever becomes of
it costs time alone: what it lacks, or holds broken, goes through the model.

The pipeline joins one model's part of it whole: which sentences an update will bring is not known before it runs, and
Spark does not let a stream choose the files of a table that it joins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd  # noqa: TC002  # pandas_udf reads the hints at run time
from pyspark.errors import PySparkException
from pyspark.sql import Window
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import BinaryType

from pipelines.commit import commit, has_many_files
from pipelines.snapshot import changes_since
from pipelines.sql import sql_string
from pipelines.state_tables import EMBEDDING_CACHE
from pipelines.tables import EMBEDDINGS
from pipelines.weights import dimension

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame, SparkSession

    from pipelines.report import SyncReport
    from pipelines.settings import Settings

_FLOAT_BYTES = 4
FAR = 100  # versions of `embeddings` after which to note that nothing was new in them


def kept_vectors(spark: SparkSession, settings: Settings) -> DataFrame | None:
    """Read the vectors of the configured model: columns `text_hash`, once each, and `kept_vector`.

    Returns:
        None where the table is not there, as at the first start of the pipeline.
    """
    table = settings.table(EMBEDDING_CACHE.name)
    if not spark.catalog.tableExists(table):
        return None
    n_bytes = _FLOAT_BYTES * dimension(settings.model_path or None)
    # Sorted for a rank as it is for the join, so that to let no key come twice costs little. The last row is the one
    # that was added because the others were broken.
    rank = F.row_number().over(Window.partitionBy("text_hash").orderBy(F.desc("added_at"))).alias("rank")
    return (
        spark.table(table)
        .where(F.col("model") == settings.model)
        .where(F.octet_length("vector") == n_bytes)
        .select("text_hash", F.col("vector").alias("kept_vector"), rank)
        .where("rank = 1")
        .select("text_hash", "kept_vector")
    )


def keep_vectors(spark: SparkSession, settings: Settings, report: SyncReport) -> None:
    """Add the vectors that the model made since this was last done; drop those of other models if told to.

    What was added says up to which version of `embeddings` that was. Where nothing was, or the versions in between are
    gone, every vector of the log is added that is not there: so an emptied table fills again without the model.

    Args:
        spark: a session that sees the tables.
        settings: which model; a `dry_run` keeps nothing.
        report: of the sync just done, which says what version of `embeddings` it read. A failure here is advice in it:
            what was to be done is done, and what is not kept now goes through the model once more.
    """
    table, model = settings.table(EMBEDDING_CACHE.name), settings.model
    if settings.dry_run or not spark.catalog.tableExists(table):
        return
    mine = (F.col("model") == model) & (F.col("table_id") == report.table_id)
    try:
        if settings.drop_other_models:
            commit(lambda: spark.sql(f"DELETE FROM {table} WHERE model <> {sql_string(model)}"))
        seen = spark.table(table).where(mine).agg(F.max("table_version").alias("version")).collect()[0].version
        try:
            _add(spark, settings, report, seen)
        except PySparkException:  # files vacuumed, a log cleaned
            _add(spark, settings, report, None, is_new_log=False)
        if has_many_files(spark, table):
            commit(lambda: spark.sql(f"OPTIMIZE {table} ZORDER BY (text_hash)"))
    except PySparkException as error:
        why = error.getCondition() or type(error).__name__
        report.advice.append(f"the vectors of this run were not kept ({why}): if it stays so, empty {table}")


def _add(
    spark: SparkSession, settings: Settings, report: SyncReport, seen: int | None, *, is_new_log: bool = True
) -> None:
    """Append what was made after version `seen`; with None, what of the whole log is not there."""
    now = report.table_version
    assert now is not None  # noqa: S101  # a sync that came to its end has read one
    if seen == now:
        return
    table, embeddings = settings.table(EMBEDDING_CACHE.name), settings.table(EMBEDDINGS.name)
    if seen is None:
        made = spark.sql(f"SELECT * FROM {embeddings} VERSION AS OF {now}").where("vector IS NOT NULL")
        if (kept := kept_vectors(spark, settings)) is not None:
            made = made.join(kept.select("text_hash", F.lit(1).alias("n_kept")), "text_hash", "left")
            # For a row of a new log the model ran because what was kept was broken in a way that only a worker sees.
            made = made.where("n_kept IS NULL OR embedded" if is_new_log else "n_kept IS NULL")
    else:  # a refresh takes away rows for which the model ran, too
        made = changes_since(spark, embeddings, seen, now).where("embedded AND _change_type = 'insert'")
    made = made.where(F.col("model") == settings.model)
    source = (
        F.lit(report.table_id).alias("table_id"),
        F.lit(now).cast("bigint").alias("table_version"),
        F.current_timestamp().alias("added_at"),
    )
    if made.isEmpty():
        if seen is None or now - seen >= FAR:  # a row without a key says how far this was read
            marker = spark.range(1).select(F.lit(settings.model).alias("model"), *source)
            commit(lambda: marker.writeTo(table).append())
        return
    first = F.row_number().over(Window.partitionBy("text_hash").orderBy("version", "id")).alias("rank")
    rows = (
        made.select("text_hash", "model", "vector", first)
        .where("rank = 1")
        .orderBy("text_hash")  # so that a file's smallest and largest say what it cannot hold
        .select("text_hash", "model", _to_bytes()(F.col("vector")).alias("vector"), *source)
    )
    commit(lambda: rows.writeTo(table).append())


def _to_bytes() -> Callable[[Column], Column]:
    """Build the function from an array of floats to its bytes."""

    def to_bytes(vectors: pd.Series) -> pd.Series:
        return vectors.map(lambda vector: np.asarray(vector, dtype="<f4").tobytes())

    return pandas_udf(to_bytes, BinaryType())  # type: ignore[call-overload, no-any-return]  # as in to_embeddings
