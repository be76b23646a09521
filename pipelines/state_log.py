"""`index_state` as a log, like the pipeline's tables: rows are appended, and a document's last one counts.

It costs a third of a MERGE, which a sync would wait for twice a window; and syncs of two namespaces stay out of each
other's way. What later rows superseded is deleted from time to time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyspark.sql import Window
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.commit import commit, has_many_files
from pipelines.place import is_here, place
from pipelines.rows import these
from pipelines.state_tables import INDEX_STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

    from pipelines.settings import Settings

SAME_FOR_ALL: Final = ("index", "namespace", "synced_at", "run_id", "seq")  # columns of rows that one commit appends


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
        self._has_written = False

    def newest(self, ids: DataFrame | None = None, *columns: str) -> DataFrame:
        """Read the row of each document that counts; nothing where there is no table.

        Args:
            ids: column `doc_id` of the documents wanted; None for all.
            columns: SQL of what is wanted of it besides its id; all of it if none. Payload hashes are large to sort.
        """
        exists = self._spark.catalog.tableExists(self._table)
        rows = these(self._rows() if exists else self._spark.createDataFrame([], INDEX_STATE.ddl()), ids)
        if "seq" not in rows.columns:  # a table of an earlier release, with one row a document
            rows = rows.select("*", F.lit(None).cast("bigint").alias("seq"))
        # Should two runs ever have written at once, what is not known counts more than what is claimed.
        order = (F.desc("seq"), F.col("document_hash").isNotNull(), F.desc("synced_at"))
        rank = F.row_number().over(Window.partitionBy("doc_id").orderBy(*order)).alias("rank")
        chosen = rows.selectExpr("doc_id", "seq", "document_hash", "synced_at", *columns) if columns else rows
        return chosen.select("*", rank).where("rank = 1").drop("rank")

    def note_last(self, seq: int | None) -> None:
        """Spare `append` its question for the last row's `seq`; for a run that writes, which alone may know it."""
        if self._run_id:
            self._seq = seq or 0

    def append(self, rows: DataFrame) -> None:
        """Write rows, of each document the one that counts from now on. One commit.

        Args:
            rows: the table's columns but `SAME_FOR_ALL`; no document twice.
        """
        if self._seq is None:
            self._seq = self._rows().agg(F.max("seq").alias("seq")).collect()[0].seq or 0
        self._seq += 1
        more: dict[str, Any] = {"seq": F.lit(self._seq).cast("bigint"), "run_id": F.lit(self._run_id)}
        more |= {"synced_at": F.current_timestamp()}
        whole = rows.select("*", *place(self._settings), *(value.alias(name) for name, value in more.items()))
        # By name: an older table has another order.
        commit(lambda: whole.writeTo(self._table).append(), self._may_write)
        self._has_written = True

    def compact(self) -> None:
        """Delete superseded rows and gather small files, where this run wrote and there are many files.

        It changes nothing of what is held, whatever else happens meanwhile.
        """
        if not self._has_written or not has_many_files(self._spark, self._table):
            return
        last = self._rows().groupBy("doc_id").agg(F.max("seq").alias("seq")).select("*", *place(self._settings))
        statement = f"""
            MERGE INTO {self._table} AS log
            USING {{last}} AS last
            ON log.`index` = last.`index` AND log.namespace = last.namespace AND log.doc_id = last.doc_id
            WHEN MATCHED AND coalesce(log.seq, -1) < last.seq THEN DELETE
            """
        commit(lambda: self._spark.sql(statement, last=last))
        self._spark.sql(f"OPTIMIZE {self._table}")

    def _rows(self) -> DataFrame:
        return self._spark.table(self._table).where(is_here(self._settings))
