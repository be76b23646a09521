"""The documents that differ from what the index holds, streamed to the driver with the records they should have."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil
from typing import TYPE_CHECKING, Any, Self

from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.ids import TOMBSTONE_HASH, content_hash_column, record_id
from pipelines.plan import DocumentPlan, HeldHashes, plan_document
from pipelines.record import Record
from pipelines.rows import iterate_rows

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from pyspark.sql import DataFrame


@dataclass(slots=True)
class Document:
    """A document that differs: what the index may hold of it, and what it should."""

    change: dict[str, Any]  # its row of `to_changes`
    hashes: list[str] = field(default_factory=list)  # desired payloads, in order
    sizes: list[int] = field(default_factory=list)  # bytes of their metadata
    records: list[Record] = field(default_factory=list)  # theirs; empty in a dry run

    @property
    def doc_id(self) -> str:
        """Its id."""
        doc_id: str = self.change["doc_id"]
        return doc_id

    @property
    def held(self) -> HeldHashes:
        """Payload hashes of what may be in the index, by ordinal."""
        return tuple(self.change["held"] or ())

    def whole(self) -> Self:
        """Say that all its records came: one missing would be deleted, and nobody would know."""
        if self.change["status"] == "write":
            assert len(self.hashes) == self.change["n_sentences"], self.doc_id  # noqa: S101
        return self

    def plan(self) -> DocumentPlan:
        """Upserts, deletes and what stays."""
        return plan_document(self.hashes, self.held)

    def row(self, payload_hashes: HeldHashes, document_hash: str | None) -> dict[str, Any]:
        """Its row of `index_state`."""
        change = self.change
        deleted = change["status"] == "delete" or (change["status"] != "write" and change["held_deleted"])
        prefix = "" if change["head_known"] else "held_"
        return {
            "doc_id": change["doc_id"],
            "source_id": change[f"{prefix}source_id"],
            "version": change[f"{prefix}version"],
            "document_hash": document_hash,
            "recipe": change[f"{prefix}recipe"],
            "model": None if deleted else change["model"],
            "deleted": deleted,
            "payload_hashes": list(payload_hashes),
            "changed_at": change[f"{prefix}changed_at"],
        }

    def intent_row(self, plan: DocumentPlan) -> dict[str, Any]:
        """Its row before the first request: what is about to change is not known."""
        return self.row(plan.intent(self.held), None)

    def done_row(self, refused: Container[int] = ()) -> dict[str, Any]:
        """Its row once every request was answered; at the `refused` ordinals nothing is in the index."""
        deleted = self.change["status"] == "delete"
        hashes = tuple(None if ordinal in refused else known for ordinal, known in enumerate(self.hashes))
        return self.row(hashes, TOMBSTONE_HASH if deleted else self.change["document_hash"])


DIFFERING = ("write", "delete")
# Spark brings a limited size of one query to the driver, spark.driver.maxResultSize: a gigabyte, unless told.
RECORDS_A_QUERY = 200_000
RECORDS_AT_FIRST = 50_000  # of the first of several: a query gives no row before Spark has shuffled all of it
RECORDS_A_PARTITION = 5_000  # what Spark brings at a time


def read_documents(
    embeddings: DataFrame,
    changes: DataFrame,
    statuses: Sequence[str] = DIFFERING,
    *,
    n_records: int = 0,
    with_records: bool,
) -> Iterator[Document]:
    """Stream documents, each with what it should hold, so that the driver holds one at a time.

    Args:
        embeddings: all rows of `embeddings`, at one version.
        changes: from `to_changes`.
        statuses: of the documents wanted; one that is held back comes without what it should hold.
        n_records: about how many they are and should hold together; many are read by several queries.
        with_records: bring the records along, not only their hashes. Of several queries the first is small then, for
            somebody waits to send them.
    """
    chosen = changes.where(F.col("status").isin(*statuses))
    sizes = query_sizes(n_records, small_first=with_records)
    for part, size in zip(id_ranges(sizes), sizes, strict=True):
        yield from _read(embeddings.where(part), chosen.where(part), n_records=size, with_records=with_records)


def query_sizes(n_records: int, *, small_first: bool) -> list[int]:
    """Say how many of the records each query is to read: at least one, and no small rest, for each reads the table."""
    first = [RECORDS_AT_FIRST] if small_first and n_records > 2 * RECORDS_AT_FIRST else []
    rest = n_records - sum(first)
    n_more = ceil(rest / RECORDS_A_QUERY) or 1
    return first + [rest // n_more] * n_more


def id_ranges(sizes: Sequence[int]) -> list[str]:
    """Cut all document ids, which are hex, into ranges of about these sizes; as SQL conditions."""
    bounds = [f"{16**4 * part // sum(sizes):04x}" for part in accumulate(sizes[:-1])]
    lower = ["true", *(f"doc_id >= '{bound}'" for bound in bounds)]
    upper = [*(f"doc_id < '{bound}'" for bound in bounds), "true"]
    return [f"{above} AND {below}" for above, below in zip(lower, upper, strict=True)]


def _read(embeddings: DataFrame, changes: DataFrame, *, n_records: int, with_records: bool) -> Iterator[Document]:
    key = ("doc_id", "source_epoch", "version", "recipe", "document_hash")
    payload = content_hash_column(F.col("metadata"), F.col("text_hash"), F.col("model"))
    heavy = ["metadata", "vector"] if with_records else []
    wanted = changes.where("status IN ('write', 'same')").select(*key)
    records = embeddings.where("NOT deleted").join(F.broadcast(wanted), list(key), "left_semi")
    records = records.select(
        "doc_id", "ordinal", payload.alias("hash"), F.octet_length("metadata").alias("n_bytes"), *heavy
    )
    # What is known of a document comes before its records, in a row of its own.
    known = changes.select("doc_id", F.struct("*").alias("change"))
    rows = known.unionByName(records, allowMissingColumns=True)
    # A document lies in one partition. To sort them all would be to compute all twice, the first time for a sample.
    rows = rows.repartition(ceil(n_records / RECORDS_A_PARTITION) or 1, "doc_id")
    document: Document | None = None
    for row in iterate_rows(rows.sortWithinPartitions("doc_id", F.asc_nulls_first("ordinal"))):
        if row["change"] is not None:
            if document is not None:
                yield document.whole()
            document = Document(row["change"])
            continue
        assert document is not None  # noqa: S101  # its change came first
        assert document.doc_id == row["doc_id"]  # noqa: S101
        if row["ordinal"] == len(document.hashes):  # a row that repeats one, as after a refresh, is passed over
            document.hashes.append(row["hash"])
            document.sizes.append(row["n_bytes"])
            if heavy:
                name = record_id(row["doc_id"], row["ordinal"])
                document.records.append(Record(name, row["vector"], row["metadata"]))
    if document is not None:
        yield document.whole()


def windows(documents: Iterable[Document], n_records: int) -> Iterator[list[Document]]:
    """Gather documents until they hold this many records; a longer document is a window of its own.

    The first windows are smaller, so that sending begins before much was read.
    """
    window: list[Document] = []
    size, limit = 0, ceil(n_records / 8)
    for document in documents:
        n_own = max(len(document.hashes), len(document.held), 1)
        if window and size + n_own > limit:
            yield window
            window, size, limit = [], 0, min(n_records, 2 * limit)
        window.append(document)
        size += n_own
    if window:
        yield window
