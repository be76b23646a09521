"""The sync's memory: what the index may hold of each document, and what it refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyspark.errors import PySparkException
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.form import Holding
from pipelines.place import is_here, place
from pipelines.state_tables import DEAD_LETTER, FORGOTTEN, INDEX_STATE, STATE_TABLES, SYNC_RUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from pipelines.settings import Settings

GRACE_S: Final = 600  # after that, what is not seen is not there
MAX_TRIES: Final = 20  # of one commit, beside syncs of other namespaces; each costs them seconds as well


class State:
    """The state tables' rows of one (index, namespace); it never reads or writes rows of another.

    Args:
        spark: any session that sees the state tables.
        settings: which index and namespace.
        may_write: asked before every write; raises if another run may be writing.
        run_id: of the run that writes; empty where none does.
    """

    def __init__(
        self,
        spark: SparkSession,
        settings: Settings,
        may_write: Callable[[], None] = lambda: None,
        run_id: str = "",
    ) -> None:
        self._spark = spark
        self._settings = settings
        self._may_write = may_write
        self._run_id = run_id
        self._table = settings.table(INDEX_STATE.name)
        self._dead = settings.table(DEAD_LETTER.name)
        self._here = place(settings)

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

    def row(self, doc_id: str) -> dict[str, Any] | None:
        """Return one document's row as `merge` takes it; None where there is none."""
        found = self.held().where(F.col("doc_id") == doc_id).collect()
        return found[0].asDict() if found else None

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
        self._commit(
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

    def _commit(self, merge: str, **sources: Any) -> None:
        """Run a MERGE, again where another namespace's sync came first: Delta compares files, and these hold both."""
        for n_left in reversed(range(MAX_TRIES)):
            self._may_write()
            try:
                self._spark.sql(merge, **sources)
            except PySparkException as error:
                if not n_left or not (error.getCondition() or "").startswith("DELTA_CONCURRENT"):
                    raise
            else:
                return

    def _of_here(self, rows: DataFrame) -> DataFrame:
        return rows.where(is_here(self._settings))

    def merge(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Write rows of `index_state`, each replacing its document's row. One commit.

        Args:
            documents: the table's columns but those that are the same for all.
        """
        if not documents:
            return
        ours = ("index", "namespace", "synced_at", "run_id")
        columns = [name for name in INDEX_STATE.columns if name not in ours]
        kinds = ", ".join(f"{name} {INDEX_STATE.columns[name][0]}" for name in columns)
        rows = self._spark.createDataFrame([tuple(document[name] for name in columns) for document in documents], kinds)
        self._commit(
            f"""
            MERGE INTO {self._table} AS held
            USING {{rows}} AS new
            ON held.`index` = new.`index` AND held.namespace = new.namespace AND held.doc_id = new.doc_id
            WHEN MATCHED THEN UPDATE SET *
            WHEN NOT MATCHED THEN INSERT *
            """,
            rows=rows.select(
                "*", *self._here, F.current_timestamp().alias("synced_at"), F.lit(self._run_id).alias("run_id")
            ),
        )

    def forget_contents(self) -> None:
        """Note that the namespace was found empty: nothing of it is known to be there, and all its room stays."""
        self._commit(
            f"""
            MERGE INTO {self._table} AS held
            USING {{here}} AS here
            ON held.`index` = here.`index` AND held.namespace = here.namespace
            WHEN MATCHED THEN UPDATE SET
                document_hash = NULL, payload_hashes = transform(held.payload_hashes, hash -> CAST(NULL AS STRING))
            """,
            here=self._spark.range(1).select(*self._here),
        )

    def holding(self, *, without: DataFrame | None = None) -> Holding:
        """Count what the namespace may hold.

        Args:
            without: column `doc_id` of documents to leave out.
        """
        held = self.held() if without is None else self.held().join(without, "doc_id", "left_anti")
        row = held.agg(
            F.count("*").alias("n_documents"),
            F.count_if(~F.col("deleted")).alias("n_live"),
            F.coalesce(F.sum(F.array_size("payload_hashes")), F.lit(0)).alias("n_room"),
            F.coalesce(F.sum(F.array_size(F.array_compact("payload_hashes"))), F.lit(0)).alias("n_known"),
            F.count_if(F.col("document_hash").isNull()).alias("n_unknown"),
            F.collect_set(F.when(F.array_size("payload_hashes") > 0, F.col("model"))).alias("models"),
        ).collect()[0]
        return Holding(**row.asDict() | {"models": tuple(sorted(row.models))})

    def young(self) -> set[str]:
        """Ids of documents written a short while ago by a run that did not see its writes come through."""
        runs = self._spark.table(self._settings.table(SYNC_RUNS.name)).where("visible_at IS NOT NULL").select("run_id")
        lately = self.held().where(f"synced_at > current_timestamp() - INTERVAL {GRACE_S} SECONDS")
        return {row.doc_id for row in lately.join(runs, "run_id", "left_anti").select("doc_id").collect()}

    def forgotten(self, *, undone: bool = False) -> DataFrame:
        """Column `doc_id` of documents that must stay out of every index.

        Args:
            undone: those, too, that must no longer.
        """
        table = self._settings.table(FORGOTTEN.name)
        if not self._spark.catalog.tableExists(table):
            return self._spark.createDataFrame([], "doc_id STRING")
        rows = self._spark.table(table)
        return (rows if undone else rows.where("undone_at IS NULL")).select("doc_id").distinct()
