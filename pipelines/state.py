"""The sync's memory: what the index may hold of each document, and what it refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.commit import commit
from pipelines.form import Holding
from pipelines.place import is_here, place
from pipelines.sql import sql_string
from pipelines.state_log import SAME_FOR_ALL, StateLog
from pipelines.state_tables import DEAD_LETTER, FORGOTTEN, INDEX_STATE, STATE_TABLES, SYNC_RUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from pipelines.settings import Settings

GRACE_S: Final = 600  # after that, what is not seen is not there


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
        self._log = StateLog(spark, settings, may_write, run_id)
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
                self._spark.sql(f"COMMENT ON TABLE {name} IS {sql_string(table.comment)}")

    def held(self, ids: DataFrame | None = None, *, retry_dead_letters: bool = False) -> DataFrame:
        """Read what the namespace may hold, a row a document; nothing where no sync has been.

        Args:
            ids: column `doc_id` of the documents wanted; None for all.
            retry_dead_letters: let documents with a refused record look as if nothing were known of them.
        """
        held = self._log.newest(ids)
        if not retry_dead_letters:
            return held
        dead = self._of_here(self._spark.table(self._dead)).select("doc_id").distinct().select("*", F.lit(1).alias("n"))
        return held.join(dead, "doc_id", "left").selectExpr(
            "* EXCEPT (document_hash, n)", "if(n IS NULL, document_hash, NULL) AS document_hash"
        )

    def row(self, doc_id: str) -> dict[str, Any] | None:
        """Return one document's row as `append` takes it; None where there is none."""
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
        found = self._spark.createDataFrame(rows, f"{kinds}, alive BOOLEAN").select(
            "*", *self._here, F.current_timestamp().alias("now")
        )
        statement = f"""
            MERGE INTO {self._dead} AS held
            USING {{rows}} AS new
            ON held.`index` = new.`index` AND held.namespace = new.namespace AND held.id = new.id
            WHEN MATCHED AND new.alive THEN DELETE
            WHEN MATCHED THEN UPDATE SET payload_hash = new.payload_hash, status = new.status, reason = new.reason,
                last_seen_at = new.now, n_attempts = held.n_attempts + 1
            WHEN NOT MATCHED AND NOT new.alive THEN INSERT (`index`, namespace, id, doc_id, source_id, payload_hash,
                status, reason, first_seen_at, last_seen_at, n_attempts) VALUES (new.`index`, new.namespace, new.id,
                new.doc_id, new.source_id, new.payload_hash, new.status, new.reason, new.now, new.now, 1)
            """
        commit(lambda: self._spark.sql(statement, rows=found), self._may_write)

    def _of_here(self, rows: DataFrame) -> DataFrame:
        return rows.where(is_here(self._settings))

    def append(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Write rows of `index_state`, of each document the one that counts from now on. One commit.

        Args:
            documents: the table's columns but those that are the same for all; no document twice.
        """
        if not documents:
            return
        columns = [name for name in INDEX_STATE.columns if name not in SAME_FOR_ALL]
        kinds = ", ".join(f"{name} {INDEX_STATE.columns[name][0]}" for name in columns)
        rows = [tuple(document[name] for name in columns) for document in documents]
        assert len({document["doc_id"] for document in documents}) == len(rows)  # noqa: S101  # else which one counts?
        self._log.append(self._spark.createDataFrame(rows, kinds).coalesce(1))  # one file a window

    def forget_contents(self) -> None:
        """Note that the namespace was found empty: nothing of it is known to be there, and all its room stays."""
        unknown = {
            "document_hash": "CAST(NULL AS STRING) AS document_hash",
            "payload_hashes": "transform(payload_hashes, known -> CAST(NULL AS STRING)) AS payload_hashes",
        }
        columns = [unknown.get(name, name) for name in INDEX_STATE.columns if name not in SAME_FOR_ALL]
        self._log.append(self.held().selectExpr(*columns))

    def compact(self) -> None:
        """Delete what later rows superseded, from time to time."""
        self._log.compact()

    def holding(self) -> Holding:
        """Count what the namespace may hold; a run that writes asks while it holds the lease."""
        sizes = (
            "deleted",
            "array_size(payload_hashes) AS n_room",
            "array_size(array_compact(payload_hashes)) AS n_known",
            "model",
        )
        counted = self._log.newest(None, *sizes).agg(
            F.max("seq").alias("seq"),
            F.count("*").alias("n_documents"),
            F.count_if(~F.col("deleted")).alias("n_live"),
            F.coalesce(F.sum("n_room"), F.lit(0)).alias("n_room"),
            F.coalesce(F.sum("n_known"), F.lit(0)).alias("n_known"),
            F.count_if(F.col("document_hash").isNull()).alias("n_unknown"),
            F.collect_set(F.when(F.col("n_room") > 0, F.col("model"))).alias("models"),
        )
        counts = counted.collect()[0].asDict()
        self._log.note_last(counts.pop("seq"))
        return Holding(**counts | {"models": tuple(sorted(counts["models"]))})

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
