"""The sync's memory: what the index may hold of each document, and what every run did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.tables import INDEX_STATE, SYNC_RUNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from pipelines.settings import Settings

STATE_TABLES = (INDEX_STATE, SYNC_RUNS)


class State:
    """`index_state` and `sync_runs` of one (index, namespace); it never reads or writes rows of another."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self._spark = spark
        self._settings = settings
        self._table = settings.table(INDEX_STATE.name)
        self._mine = f"`index` = '{settings.index_name}' AND namespace = {_literal(settings.namespace)}"

    def create(self) -> None:
        """Create the tables that are not there."""
        self._spark.sql(f"CREATE SCHEMA IF NOT EXISTS {self._settings.catalog}.{self._settings.schema}")
        for table in STATE_TABLES:
            self._spark.sql(table.creation(self._settings.table(table.name)))

    def held(self) -> DataFrame:
        """Read what the namespace may hold; nothing where no sync has been."""
        if not self._spark.catalog.tableExists(self._table):
            return self._spark.createDataFrame([], INDEX_STATE.ddl())
        return self._spark.table(self._table).where(self._mine)

    def merge(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Write rows of `index_state`, each replacing its document's row. One commit.

        Args:
            documents: the table's columns but `index`, `namespace` and `synced_at`.
        """
        if not documents:
            return
        columns = [name for name in INDEX_STATE.columns if name not in ("index", "namespace", "synced_at")]
        kinds = ", ".join(f"{name} {INDEX_STATE.columns[name][0]}" for name in columns)
        rows = self._spark.createDataFrame([tuple(document[name] for name in columns) for document in documents], kinds)
        self._spark.sql(
            f"""
            MERGE INTO {self._table} AS held
            USING (
                SELECT *, '{self._settings.index_name}' AS `index`, {_literal(self._settings.namespace)} AS namespace,
                       current_timestamp() AS synced_at
                FROM {{rows}}
            ) AS new
            ON held.`index` = new.`index` AND held.namespace = new.namespace AND held.doc_id = new.doc_id
            WHEN MATCHED THEN UPDATE SET *
            WHEN NOT MATCHED THEN INSERT *
            """,
            rows=rows,
        )

    def forget_contents(self) -> None:
        """Note that the namespace was found empty: nothing of it is known to be there, and all its room stays."""
        self._spark.sql(
            f"UPDATE {self._table} SET document_hash = NULL, "
            f"payload_hashes = transform(payload_hashes, hash -> CAST(NULL AS STRING)) WHERE {self._mine}"
        )

    def count(self) -> tuple[int, int]:
        """Count the documents ever synced, and the records known to be in the index."""
        known = "coalesce(sum(size(array_compact(payload_hashes))), 0) AS n_records"
        row = self.held().selectExpr("count(*) AS n_documents", known).collect()[0]
        return row.n_documents, row.n_records

    def record(self, run: Mapping[str, Any]) -> None:
        """Append one row to `sync_runs`."""
        row = self._spark.createDataFrame([tuple(run[name] for name in SYNC_RUNS.columns)], SYNC_RUNS.ddl())
        row.write.insertInto(self._settings.table(SYNC_RUNS.name))


def _literal(text: str) -> str:
    """SQL string literal of a namespace: any printable ASCII, as `Settings` allows."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
