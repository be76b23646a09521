"""The sync's tables: what the index holds and refused, what every run did, who may write, what must stay out."""

from __future__ import annotations

from pipelines.tables import EMBEDDINGS, Table

_HERE = {"index": ("STRING", "Pinecone index"), "namespace": ("STRING", "namespace in it")}

INDEX_STATE = Table(
    "index_state",
    "What the index holds of each document, or may hold: a log, per index and namespace; a document's last row counts.",
    "gold",
    {
        **_HERE,
        "doc_id": EMBEDDINGS.columns["doc_id"],
        "source_id": EMBEDDINGS.columns["source_id"],
        "version": EMBEDDINGS.columns["version"],
        "document_hash": ("STRING", "hash of the version the index holds; NULL while that is not known"),
        "recipe": EMBEDDINGS.columns["recipe"],
        "model": EMBEDDINGS.columns["model"],
        "deleted": EMBEDDINGS.columns["deleted"],
        "payload_hashes": (
            "ARRAY<STRING>",
            "per ordinal that may be in the index, its payload's hash; NULL: not known, or refused",
        ),
        "changed_at": EMBEDDINGS.columns["changed_at"],
        "synced_at": ("TIMESTAMP", "when this row was written"),
        "run_id": ("STRING", "the sync that wrote it: sync_runs says when what it sent was seen"),
        "seq": ("BIGINT", "orders the rows of a namespace: of a document's rows the one with the highest counts"),
    },
    n_indexed_columns=len(_HERE),  # what else is asked for are ids, which are hashes
)

SYNC_RUNS = Table(
    "sync_runs",
    "One row per sync: what it found, what it sent, how it ended.",
    "gold",
    {
        "run_id": ("STRING", "id of the run"),
        **_HERE,
        "started_at": ("TIMESTAMP", "start of the run"),
        "ended_at": ("TIMESTAMP", "end of the run"),
        "form": ("STRING", "incremental: what changed since the last sync was compared; whole: every document"),
        "reason": ("STRING", "why that form was taken"),
        "n_documents": ("BIGINT", "live documents"),
        "n_changed": ("BIGINT", "documents that differed from what the index held"),
        "n_upserted": ("BIGINT", "records written"),
        "n_deleted": ("BIGINT", "records deleted"),
        "n_unchanged": ("BIGINT", "records that stayed"),
        "n_records": ("BIGINT", "records in the index at the end; after a failure not known"),
        "n_refused": ("BIGINT", "records that the index refused for good: they are in dead_letter"),
        "n_pending": ("BIGINT", "documents held back: their newest rows are incomplete or of another recipe"),
        "n_tied": ("BIGINT", "documents with two texts in one version: a fault of the source"),
        "n_requests": ("BIGINT", "requests that read or wrote records"),
        "n_retries": ("BIGINT", "of those, the ones sent again after a failure that passes"),
        "n_checks": ("BIGINT", "requests that only described the index, or asked whether writes are seen"),
        "n_bytes": ("BIGINT", "size of the records written: ids, metadata, four bytes a dimension"),
        "n_write_units": ("BIGINT", "Pinecone's write units, estimated"),
        "seconds": ("MAP<STRING, DOUBLE>", "duration of each phase"),
        "lsn": ("BIGINT", "highest log sequence number that the index gave a write; NULL if it gave none"),
        "visible_at": (
            "TIMESTAMP",
            "when reads of the index were seen to have got there; NULL where that is not proven",
        ),
        "table_id": ("STRING", "id of the Delta table embeddings"),
        "table_version": ("BIGINT", "its version that was read"),
        "source_table_id": ("STRING", "id of the Delta table that is the source"),
        "source_version": ("BIGINT", "its version that was read; NULL where it has no change feed"),
        "recipe": ("STRING", "recipe of the settings"),
        "source_epoch": EMBEDDINGS.columns["source_epoch"],
        "outcome": (
            "STRING",
            "succeeded, partial (some records refused), refused (by a guard, before the first write) or failed",
        ),
        "error": ("STRING", "what went wrong"),
    },
)

DEAD_LETTER = Table(
    "dead_letter",
    "Records that the index refused for good: one row per index, namespace and record, until it takes them.",
    "gold",
    {
        **_HERE,
        "id": EMBEDDINGS.columns["id"],
        "doc_id": EMBEDDINGS.columns["doc_id"],
        "source_id": EMBEDDINGS.columns["source_id"],
        "payload_hash": ("STRING", "hash of what was refused: metadata, sentence and model"),
        "status": ("INT", "HTTP status of the answer; NULL where the record was never sent"),
        "reason": ("STRING", "the index's own words, or what made the record unfit to be sent"),
        "first_seen_at": ("TIMESTAMP", "when it was first refused"),
        "last_seen_at": ("TIMESTAMP", "when it was last refused"),
        "n_attempts": ("BIGINT", "how many syncs it was refused in"),
    },
)

FORGOTTEN = Table(
    "forgotten",
    "Documents that must stay out of every index, and the receipts of their removal: one row per request.",
    "gold",
    {
        "doc_id": EMBEDDINGS.columns["doc_id"],
        "source_id": EMBEDDINGS.columns["source_id"],
        **_HERE,
        "forgotten_at": ("TIMESTAMP", "when it was asked for"),
        "forgotten_by": ("STRING", "who asked"),
        "record_ids": ("ARRAY<STRING>", "ids that were deleted"),
        "proven_at": ("TIMESTAMP", "when the index listed no record of it; NULL: not proven, ask again"),
        "undone_at": ("TIMESTAMP", "when it was allowed back; NULL: it is kept out"),
        "undone_by": ("STRING", "who allowed it back"),
    },
)

LEASE = Table(
    "lease",
    "Who may write to a namespace: a log of claims, of which a run's last row counts.",
    "gold",
    {
        **_HERE,
        "run_id": ("STRING", "id of the run"),
        "written_at": ("TIMESTAMP", "when it claimed the namespace, renewed its claim or gave it back"),
        "expires_at": ("TIMESTAMP", "until when it may write; NULL: given back"),
    },
)

EMBEDDING_CACHE = Table(
    "embedding_cache",
    "Vectors that a model made, by the sentence's hash: whatever is refreshed, none of them is computed again.",
    "gold",
    {
        "text_hash": EMBEDDINGS.columns["text_hash"],
        "model": EMBEDDINGS.columns["model"],
        # Scanned in two fifths of the time that ARRAY<FLOAT> takes.
        "vector": ("BINARY", "the embedding: float32, little-endian, one after the other"),
        "table_id": ("STRING", "id of the Delta table embeddings that the row was taken from"),
        "table_version": ("BIGINT", "the version of it that was read up to"),
        "added_at": ("TIMESTAMP", "when the row was added: of equal keys the last sound one counts"),
    },
    partitioned_by=("model",),  # to drop one model's rows touches no other file
)

STATE_TABLES = (INDEX_STATE, DEAD_LETTER, SYNC_RUNS, FORGOTTEN, LEASE, EMBEDDING_CACHE)
