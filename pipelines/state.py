"""The sync's memory: what the index may hold of each document, what it refused, and what every run did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.state_tables import DEAD_LETTER, INDEX_STATE, STATE_TABLES, SYNC_RUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from pipelines.settings import Settings


class State:
    """The state tables' rows of one (index, namespace); it never reads or writes rows of another."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self._spark = spark
        self._settings = settings
        self._table = settings.table(INDEX_STATE.name)
        self._dead = settings.table(DEAD_LETTER.name)
        # A namespace may hold quotes, braces, ${}: it goes into no SQL text.
        self._here = (F.lit(settings.index_name).alias("index"), F.lit(settings.namespace).alias("namespace"))

    def create(self) -> None:
        """Create the tables that are not there."""
        self._spark.sql(f"CREATE SCHEMA IF NOT EXISTS {self._settings.catalog}.{self._settings.schema}")
        for table in STATE_TABLES:
            name = self._settings.table(table.name)
            self._spark.sql(table.creation(name))
            # A table of an earlier release lacks what later ones added.
            if missing := table.additions(self._spark.table(name).columns):
                self._spark.sql(f"ALTER TABLE {name} ADD COLUMNS ({missing})")

    def held(self, *, retry_dead_letters: bool = False) -> DataFrame:
        """Read what the namespace may hold; nothing where no sync has been.

        Args:
            retry_dead_letters: let documents with a refused record look as if nothing were known of them.
        """
        if not self._spark.catalog.tableExists(self._table):
            return self._spark.createDataFrame([], INDEX_STATE.ddl())
        held = self._of_here(self._spark.table(self._table))
        if not retry_dead_letters:
            return held
        dead = self._of_here(self._spark.table(self._dead)).select("doc_id").distinct().select("*", F.lit(1).alias("n"))
        return held.join(dead, "doc_id", "left").selectExpr(
            "* EXCEPT (document_hash, n)", "if(n IS NULL, document_hash, NULL) AS document_hash"
        )

    def dead_letters(self) -> dict[str, set[str]]:
        """Return the ids of refused records by document."""
        dead: dict[str, set[str]] = {}
        for row in self._of_here(self._spark.table(self._dead)).select("doc_id", "id").collect():
            dead.setdefault(row.doc_id, set()).add(row.id)
        return dead

    def bury(self, refused: Sequence[Mapping[str, Any]], alive: Iterable[str]) -> None:
        """Note in `dead_letter` what was refused, and take out what no longer is. One commit.

        Args:
            refused: id, doc_id, source_id, payload_hash, status and reason of each.
            alive: ids that were written or are not wanted any more.
        """
        columns = ("id", "doc_id", "source_id", "payload_hash", "status", "reason")
        rows = [(*(row[name] for name in columns), False) for row in refused]
        rows += [(record_id, *(None for _ in columns[1:]), True) for record_id in alive]
        if not rows:
            return
        kinds = ", ".join(f"{name} {DEAD_LETTER.columns[name][0]}" for name in columns)
        self._spark.sql(
            f"""
            MERGE INTO {self._dead} AS held
            USING {{rows}} AS new
            ON held.`index` = new.`index` AND held.namespace = new.namespace AND held.id = new.id
            WHEN MATCHED AND new.alive THEN DELETE
            WHEN MATCHED THEN UPDATE SET payload_hash = new.payload_hash, status = new.status, reason = new.reason,
                last_seen_at = new.now, n_attempts = held.n_attempts + 1
            WHEN NOT MATCHED AND NOT new.alive THEN INSERT (`index`, namespace, id, doc_id, source_id, payload_hash,
                status, reason, first_seen_at, last_seen_at, n_attempts) VALUES (new.`index`, new.namespace, new.id,
                new.doc_id, new.source_id, new.payload_hash, new.status, new.reason, new.now, new.now, 1)
            """,
            rows=self._spark.createDataFrame(rows, f"{kinds}, alive BOOLEAN").select(
                "*", *self._here, F.current_timestamp().alias("now")
            ),
        )

    def _of_here(self, rows: DataFrame) -> DataFrame:
        index, namespace = self._settings.index_name, self._settings.namespace
        return rows.where((F.col("index") == index) & (F.col("namespace") == namespace))

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
            USING {{rows}} AS new
            ON held.`index` = new.`index` AND held.namespace = new.namespace AND held.doc_id = new.doc_id
            WHEN MATCHED THEN UPDATE SET *
            WHEN NOT MATCHED THEN INSERT *
            """,
            rows=rows.select("*", *self._here, F.current_timestamp().alias("synced_at")),
        )

    def forget_contents(self) -> None:
        """Note that the namespace was found empty: nothing of it is known to be there, and all its room stays."""
        self._spark.sql(
            f"""
            MERGE INTO {self._table} AS held
            USING {{here}} AS here
            ON held.`index` = here.`index` AND held.namespace = here.namespace
            WHEN MATCHED THEN UPDATE SET
                document_hash = NULL, payload_hashes = transform(held.payload_hashes, hash -> CAST(NULL AS STRING))
            """,
            here=self._spark.range(1).select(*self._here),
        )

    def count(self) -> tuple[int, int]:
        """Count the documents ever synced, and the records known to be in the index."""
        known = "coalesce(sum(size(array_compact(payload_hashes))), 0) AS n_records"
        row = self.held().selectExpr("count(*) AS n_documents", known).collect()[0]
        return row.n_documents, row.n_records

    def last_source(self) -> tuple[str, int] | None:
        """Return the source table's id and epoch in the last sync; None where there was none."""
        runs = self._spark.table(self._settings.table(SYNC_RUNS.name))
        last = self._of_here(runs).selectExpr("max_by(struct(source_table_id, source_epoch), started_at) AS last")
        found = last.collect()[0].last
        return (found.source_table_id, found.source_epoch) if found else None

    def record(self, run: Mapping[str, Any]) -> None:
        """Append one row to `sync_runs`."""
        row = self._spark.createDataFrame([tuple(run[name] for name in SYNC_RUNS.columns)], SYNC_RUNS.ddl())
        row.writeTo(self._settings.table(SYNC_RUNS.name)).append()  # by name: an older table has another order
