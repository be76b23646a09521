"""`index_state` as a log, like the pipeline's tables: rows are appended, and a document's last one counts.

It costs a third of a MERGE, which a sync would wait for twice a window; and syncs of two namespaces stay out of each
other's way. What later rows superseded is deleted from time to time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyspark.errors import PySparkException
from pyspark.sql import Window
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.place import is_here, place
from pipelines.rows import these
from pipelines.state_tables import INDEX_STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

    from pipelines.settings import Settings

COMPACT_EVERY: Final = 100  # commits, each of which makes a file or two
SAME_FOR_ALL: Final = ("index", "namespace", "synced_at", "run_id", "seq")  # columns of rows that one commit appends
_MAX_TRIES: Final = 20  # of one commit, beside syncs of other namespaces; each costs them seconds as well


def merge(spark: SparkSession, statement: str, may_write: Callable[[], None], **sources: Any) -> None:
    """Run a MERGE, again where another namespace's sync came first: Delta compares files, and these hold both.

    Args:
        spark: a session that sees the table.
        statement: with a field for each source.
        may_write: asked before every try; raises if another run may be writing.
        sources: data frames, by field.
    """
    for n_left in reversed(range(_MAX_TRIES)):
        may_write()
        try:
            spark.sql(statement, **sources)
        except PySparkException as error:
            if not n_left or not (error.getCondition() or "").startswith("DELTA_CONCURRENT"):
                raise
        else:
            return


class StateLog:
    """The rows of one (index, namespace).

    Args:
        spark: any session that sees the table.
        settings: which index and namespace.
        may_write: asked before every write; raises if another run may be writing.
        run_id: of the run that writes; empty where none does.
    """

    def __init__(self, spark: SparkSession, settings: Settings, may_write: Callable[[], None], run_id: str) -> None:
        self._spark = spark
        self._settings = settings
        self._may_write = may_write
        self._run_id = run_id
        self._table = settings.table(INDEX_STATE.name)
        self._seq: int | None = None  # of the last row; None until asked, for one run writes at a time
        self._first = 0  # where this run began, or compacted

    def newest(self, ids: DataFrame | None = None) -> DataFrame:
        """Read the row of each document that counts; nothing where there is no table.

        Args:
            ids: column `doc_id` of the documents wanted; None for all.
        """
        if not self._spark.catalog.tableExists(self._table):
            return self._spark.createDataFrame([], INDEX_STATE.ddl())
        last_first = Window.partitionBy("doc_id").orderBy(F.desc("seq"))  # NULL, of an earlier release, comes last
        ranked = these(self._rows(), ids).select("*", F.row_number().over(last_first).alias("rank"))
        return ranked.where("rank = 1").drop("rank")

    def append(self, rows: DataFrame) -> None:
        """Write rows, of each document the one that counts from now on. One commit.

        Args:
            rows: the table's columns but `SAME_FOR_ALL`; no document twice.
        """
        if self._seq is None:
            self._seq = self._first = self._rows().agg(F.max("seq").alias("seq")).collect()[0].seq or 0
        self._seq += 1
        more: dict[str, Any] = {"seq": F.lit(self._seq).cast("bigint"), "run_id": F.lit(self._run_id)}
        more |= {"synced_at": F.current_timestamp()}
        whole = rows.select("*", *place(self._settings), *(value.alias(name) for name, value in more.items()))
        self._may_write()
        whole.writeTo(self._table).append()  # by name: an older table has another order

    def compact(self) -> None:
        """Delete superseded rows and gather small files, every so many commits. It changes nothing of what is held."""
        if self._seq is None or self._seq // COMPACT_EVERY == self._first // COMPACT_EVERY:
            return
        last = self._rows().groupBy("doc_id").agg(F.max("seq").alias("seq")).select("*", *place(self._settings))
        statement = f"""
            MERGE INTO {self._table} AS log
            USING {{last}} AS last
            ON log.`index` = last.`index` AND log.namespace = last.namespace AND log.doc_id = last.doc_id
            WHEN MATCHED AND coalesce(log.seq, -1) < last.seq THEN DELETE
            """
        merge(self._spark, statement, self._may_write, last=last)
        self._spark.sql(f"OPTIMIZE {self._table}")
        self._first = self._seq

    def _rows(self) -> DataFrame:
        return self._spark.table(self._table).where(is_here(self._settings))
