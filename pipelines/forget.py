"""Forget: one document's records out of the index now, with a receipt, and kept out until somebody allows it back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.commit import commit
from pipelines.errors import NotProven, SettingsError
from pipelines.ids import TOMBSTONE_HASH, doc_id, record_id
from pipelines.index import VectorIndex
from pipelines.inspection import by_document
from pipelines.lease import Lease
from pipelines.place import is_here, place
from pipelines.reader import VISIBLE_LIMIT_S, Reader, until
from pipelines.state import State
from pipelines.state_tables import FORGOTTEN
from pipelines.tables import EMBEDDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import Column, DataFrame, SparkSession

    from pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was removed, as `forgotten` keeps it."""

    source_id: str
    doc_id: str
    record_ids: tuple[str, ...]
    is_back: bool = False  # it was allowed back: the next sync writes it again


def forget(
    spark: SparkSession,
    settings: Settings,
    api_key: str,
    on_progress: Callable[[str], None] = lambda _line: None,
) -> Receipt | None:
    """Do what `forget` or `allow_back` of the settings ask for; nothing if neither does.

    That the document is to stay out is written down first: wherever this dies, no later sync lets it in, and each
    deletes what it finds of it. Its records are those that the state has room for, and those that the index lists.

    Args:
        spark: a session that sees the state tables.
        settings: the document's id in the source, and the namespace; other namespaces follow with their next sync.
        api_key: Pinecone's.
        on_progress: told what was done.

    Raises:
        SettingsError: nothing is known of such a document, or it was never to be forgotten.
        SyncRefused: another run writes.
        VectorIndexError: the index could not be reached; ask again.
        NotProven: the index still lists records of it; ask again.
    """
    source_id = settings.forget or settings.allow_back
    if not source_id:
        return None
    if settings.dry_run:
        on_progress(f"document {source_id} would be {'taken out' if settings.forget else 'allowed back'}")
        return None
    run_id, own_id = str(uuid.uuid4()), doc_id(source_id) if settings.id_column else source_id
    receipts = _Receipts(spark, settings, own_id)
    if settings.allow_back:
        if receipts.of_document().isEmpty():
            raise SettingsError(f"setting allow_back is {source_id!r}: no such document was ever forgotten")
        receipts.undo()
        on_progress(f"document {source_id} is allowed back: the next sync writes it, if the source holds it")
        return Receipt(source_id, own_id, (), is_back=True)
    with (
        Lease(spark, settings, run_id) as lease,
        VectorIndex(settings, api_key, lease.check) as index,
    ):
        state, reader = State(spark, settings, lease.check, run_id), Reader(index, settings.namespace)
        held, listed = state.row(own_id), list(reader.list_ids(f"{own_id}#"))
        if held is None and not listed and not _is_logged(spark, settings, own_id):
            raise SettingsError(f"setting forget is {source_id!r}: neither table nor index knows such a document")
        receipts.begin(source_id)
        row = held or _new_row(own_id, source_id)
        ours, _ = by_document(listed)
        n_room = max(len(row["payload_hashes"]), 1 + max(ours.get(own_id, ()), default=-1))
        ids = sorted({*(record_id(own_id, ordinal) for ordinal in range(len(row["payload_hashes"]))), *listed})
        state.append([row | {"document_hash": None, "payload_hashes": [None] * n_room}])
        index.delete(ids)
        if not until(lambda: not any(True for _ in reader.list_ids(f"{own_id}#")), VISIBLE_LIMIT_S):
            raise NotProven(
                f"{len(ids)} records of document {source_id} were deleted, and the index still lists some of them: it "
                "is kept out, ask again for the proof"
            )
        state.bury([], ids)
        done = {"document_hash": TOMBSTONE_HASH, "payload_hashes": [], "deleted": True, "model": None}
        state.append([row | done])
        receipts.prove(ids)
    on_progress(f"document {source_id} is out and kept out: {len(ids):,} records deleted, and the index lists none")
    return Receipt(source_id, own_id, tuple(ids))


def _is_logged(spark: SparkSession, settings: Settings, own_id: str) -> bool:
    """Say whether `embeddings` has a row of it, so that a sync would write it."""
    table = settings.table(EMBEDDINGS.name)
    return spark.catalog.tableExists(table) and not spark.table(table).where(F.col("doc_id") == own_id).isEmpty()


def _new_row(own_id: str, source_id: str) -> dict[str, Any]:
    unknown = ("version", "document_hash", "recipe", "model", "changed_at")
    return dict.fromkeys(unknown) | {
        "doc_id": own_id,
        "source_id": source_id,
        "deleted": True,
        "payload_hashes": [],
    }


class _Receipts:
    """Rows of `forgotten` of one document."""

    def __init__(self, spark: SparkSession, settings: Settings, own_id: str) -> None:
        self._spark = spark
        self._settings = settings
        self._doc_id = own_id
        self._table = settings.table(FORGOTTEN.name)

    def of_document(self) -> DataFrame:
        """Return its rows, of any namespace, undone ones included."""
        return self._spark.table(self._table).where(F.col("doc_id") == self._doc_id)

    def begin(self, source_id: str) -> None:
        """Keep the document out from now on, once."""
        if not self.of_document().where("undone_at IS NULL").where(is_here(self._settings)).isEmpty():
            return  # asked for before: the receipt is still to be completed, or completed again
        values: dict[str, Column] = dict(zip(("index", "namespace"), place(self._settings), strict=True))
        values |= {"doc_id": F.lit(self._doc_id), "source_id": F.lit(source_id)}
        values |= {"forgotten_at": F.current_timestamp(), "forgotten_by": F.current_user()}
        columns = [
            values.get(name, F.lit(None)).cast(kind).alias(name) for name, (kind, _) in FORGOTTEN.columns.items()
        ]
        self._spark.range(1).select(*columns).writeTo(self._table).append()

    def prove(self, record_ids: list[str]) -> None:
        """Note what was deleted here, and that the index lists nothing of it any more."""
        self._update(
            "held.`index` = new.`index` AND held.namespace = new.namespace",
            "proven_at = new.now, record_ids = array_union(coalesce(held.record_ids, array()), new.record_ids)",
            record_ids,
        )

    def undo(self) -> None:
        """Let the document in again, everywhere."""
        self._update("true", "undone_at = new.now, undone_by = current_user()")

    def _update(self, condition: str, assignments: str, record_ids: Sequence[str] = ()) -> None:
        new = self._spark.range(1).select(
            F.lit(self._doc_id).alias("doc_id"),
            *place(self._settings),
            F.current_timestamp().alias("now"),
            F.array(*map(F.lit, record_ids)).cast("array<string>").alias("record_ids"),
        )
        statement = (
            f"MERGE INTO {self._table} AS held USING {{new}} AS new ON held.doc_id = new.doc_id "
            f"WHEN MATCHED AND held.undone_at IS NULL AND {condition} THEN UPDATE SET {assignments}"
        )
        commit(lambda: self._spark.sql(statement, new=new))
