"""Make the source table hold exactly the documents of a source, by one MERGE that touches only rows that differ.

So the table's change feed tells an edited file as an update, a removed one as a delete and a new one as an insert;
where nothing changed there is no commit, and the pipeline has nothing to read. Each commit notes the fingerprint of
what it mirrored: as long as it is the last one and the source has that fingerprint, there is nothing to compare.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.errors import PySparkException
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from local.columns import check_columns, project, table_types, variable, with_plain_names
from local.corpus import TEXT_ENDINGS, built_in_corpus, folder_corpus
from local.fingerprint import fingerprint, last_fingerprint, noting
from local.table_file import TABLE_ENDINGS, read_table_file
from pipelines.errors import SourceError
from pipelines.sql import sql_name, sql_type

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What one `mirror` did to the source table, in rows."""

    n_inserted: int  # documents the table did not have
    n_updated: int  # documents of which any column differed
    n_deleted: int  # documents the source no longer has
    n_unchanged: int  # documents left untouched
    advice: tuple[str, ...] = ()  # what a person should know of the source

    @property
    def n_changed(self) -> int:
        """Rows that were written."""
        return self.n_inserted + self.n_updated + self.n_deleted


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A source against the table, before anything is written."""

    n_found: int  # rows of the source
    n_differ: int  # ids, NULL for one, whose rows are not the same in both
    nameless_differ: bool  # NULL is one of them


def mirror(spark: SparkSession, source: Path | None, settings: Settings) -> Mirrored:
    """Mirror `source` into the Delta table `settings.source_table`, made with a change feed if it is not there.

    Rows are matched by id. Rows whose id is NULL are nobody in particular: unless they are the same rows as before, all
    of them are replaced. Characters that a Delta column's name cannot have become `_`. The table follows a source
    whose columns change as far as readers of its change feed can: a new column is added, one that is gone stays and
    turns NULL, a narrower type is widened (a whole number to DOUBLE as Spark does it, exactly up to 2**53).

    Args:
        spark: Session whose catalog has the table, or gets it.
        source: A folder of .txt and .md files, a .jsonl, .csv or .parquet file, the folder of a Delta table, or None
            for the documentation inside CPython.
        settings: Names of the table and of its columns.

    Raises:
        SourceError: the source cannot be read, lacks a column the settings name, has an id twice, is a file or folder
            without a document (a wrong path is likelier than a wish to delete all), or a column does not fit the
            table's.
    """
    origin = "the built-in corpus" if source is None else str(source)
    if not settings.id_column:
        raise SourceError(f"{origin} cannot be mirrored without ids: name their column with {variable('id_column')}")
    try:
        if source is not None and (source / "_delta_log").is_dir():
            documents = spark.read.format("delta").load(str(source.resolve()))
            return _mirror(spark, with_plain_names(documents), origin, settings)
        table = _read(source, settings)
        found = fingerprint(table, settings)
        if last_fingerprint(spark, settings) == found:
            done = Mirrored(0, 0, 0, table.num_rows)
        else:
            done = _mirror(spark, with_plain_names(spark.createDataFrame(table)), origin, settings, found)
        return replace(done, advice=_advice(table, settings))
    except (PySparkException, OSError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise SourceError(f"{origin} cannot be mirrored into {settings.source_table}: {reason}") from error


def _read(source: Path | None, settings: Settings) -> pa.Table:
    """Read anything but a Delta table."""
    if source is None:
        return built_in_corpus(settings.id_column, settings.text_column)
    if source.is_dir():
        table = folder_corpus(source, settings.id_column, settings.text_column)
    elif source.exists() and source.suffix.lower() in TABLE_ENDINGS:
        table = read_table_file(source)
    else:
        wrong = f"is no {' or '.join(TABLE_ENDINGS)} file" if source.exists() else "does not exist"
        raise SourceError(
            f"{source} {wrong}: name such a file, a folder of {' and '.join(TEXT_ENDINGS)} files or a Delta table's "
            "folder"
        )
    if table.num_rows == 0:
        raise SourceError(f"{source} holds no document, and to mirror that would delete all: name another source")
    return table


def _advice(table: pa.Table, settings: Settings) -> tuple[str, ...]:
    """Tell of texts with characters that were lost in reading, which no rule minds as long as they are few."""
    if not {settings.id_column, settings.text_column} <= set(table.column_names):
        return ()
    texts = table[settings.text_column]
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        return ()
    found = table.filter(pc.match_substring(texts, "\ufffd"))
    if not found.num_rows:
        return ()
    first = found[settings.id_column][0].as_py()
    return (f"{found.num_rows} documents have characters that are no UTF-8 and were lost, the first is {first}",)


def _mirror(spark: SparkSession, documents: DataFrame, origin: str, settings: Settings, note: str = "") -> Mirrored:
    name = settings.source_table
    check_columns(documents, origin, settings)
    table = spark.table(name) if spark.catalog.tableExists(name) else None
    types = table_types(documents, table, origin, settings)
    found = project(documents, types)
    comparison = _compare(found.limit(0) if table is None else project(table, types), found, origin, settings)

    have = [] if table is None else table.columns
    new = ", ".join(f"{sql_name(column)} {sql_type(kind)}" for column, kind in types.items() if column not in have)
    if table is None:
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {name.rpartition('.')[0]}")
        spark.sql(f"CREATE TABLE {name} ({new}) USING delta TBLPROPERTIES (delta.enableChangeDataFeed = true)")
    elif new:
        spark.sql(f"ALTER TABLE {name} ADD COLUMNS ({new})")
    if comparison.n_differ == 0:
        return Mirrored(0, 0, 0, comparison.n_found)
    with noting(spark, note):  # not before: a run killed here must compare again
        return _merge(spark, found, comparison, settings)


def _compare(held: DataFrame, found: DataFrame, origin: str, settings: Settings) -> _Comparison:
    """Compare beforehand, in one query: a MERGE that changes nothing would still commit a version.

    Raises:
        SourceError: several rows of the source have one id.
    """
    row = F.struct(*found.columns)
    both = held.select(row.alias("held"), F.lit(None).alias("found")).unionAll(
        found.select(F.lit(None).alias("held"), row.alias("found"))
    )
    of_id = both.groupBy(F.coalesce("held", "found")[settings.id_column].alias("id")).agg(
        F.sort_array(F.collect_list("held")).alias("held"), F.sort_array(F.collect_list("found")).alias("found")
    )
    differs = ~F.col("held").eqNullSafe(F.col("found"))
    has_id = F.col("id").isNotNull()
    n_rows = F.size("found")
    answer = of_id.agg(
        F.coalesce(F.sum(n_rows), F.lit(0)).alias("n_found"),
        F.count_if(differs).alias("n_differ"),
        F.count_if(differs & ~has_id).alias("n_nameless_differ"),
        F.max(F.when(has_id & (n_rows > 1), F.struct(n_rows.alias("n_rows"), "id"))).alias("doubled"),
    ).collect()[0]
    if answer.doubled:
        raise SourceError(
            f"{origin}: id {answer.doubled.id!r} stands in {answer.doubled.n_rows} rows, allowed is one: remove the "
            f"others, or name another id column with {variable('id_column')}"
        )
    return _Comparison(answer.n_found, answer.n_differ, answer.n_nameless_differ > 0)


def _merge(spark: SparkSession, found: DataFrame, comparison: _Comparison, settings: Settings) -> Mirrored:
    key = f"`{settings.id_column}`"
    same = " AND ".join(f"held.`{column}` <=> found.`{column}`" for column in found.columns)
    # `=` matches no NULL, so rows without an id are all deleted and inserted; or both sides leave them out.
    counts = spark.sql(
        f"MERGE INTO {settings.source_table} AS held USING {{found}} AS found ON held.{key} = found.{key} "
        f"WHEN MATCHED AND NOT ({same}) THEN UPDATE SET * "
        f"WHEN NOT MATCHED THEN INSERT * "
        f"WHEN NOT MATCHED BY SOURCE {'' if comparison.nameless_differ else f'AND held.{key} IS NOT NULL'} THEN DELETE",
        found=found if comparison.nameless_differ else found.filter(F.col(settings.id_column).isNotNull()),
    ).collect()[0]
    return Mirrored(
        counts.num_inserted_rows,
        counts.num_updated_rows,
        counts.num_deleted_rows,
        n_unchanged=comparison.n_found - counts.num_inserted_rows - counts.num_updated_rows,
    )
