"""The sync's tables: what the index holds, what it refused, and what every run did."""

from __future__ import annotations

from pipelines.tables import EMBEDDINGS, Table

_HERE = {"index": ("STRING", "Pinecone index"), "namespace": ("STRING", "namespace in it")}

INDEX_STATE = Table(
    "index_state",
    "What the index holds of each document, or may hold: one row per index, namespace and document.",
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
        "synced_at": ("TIMESTAMP", "when this row was last written"),
    },
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
        "form": ("STRING", "whole: every document was compared"),
        "reason": ("STRING", "why that form was taken"),
        "n_documents": ("BIGINT", "live documents"),
        "n_changed": ("BIGINT", "documents that differed from what the index held"),
        "n_upserted": ("BIGINT", "records written"),
        "n_deleted": ("BIGINT", "records deleted"),
        "n_unchanged": ("BIGINT", "records that stayed"),
        "n_refused": ("BIGINT", "records that the index refused for good: they are in dead_letter"),
        "n_pending": ("BIGINT", "documents held back: their newest rows are incomplete or of another recipe"),
        "n_tied": ("BIGINT", "documents with two texts in one version: a fault of the source"),
        "n_requests": ("BIGINT", "requests that read or wrote records"),
        "n_retries": ("BIGINT", "of those, the ones sent again after a failure that passes"),
        "n_checks": ("BIGINT", "requests that only described the index"),
        "seconds": ("MAP<STRING, DOUBLE>", "duration of each phase"),
        "table_id": ("STRING", "id of the Delta table embeddings"),
        "table_version": ("BIGINT", "its version that was read"),
        "source_table_id": ("STRING", "id of the Delta table that is the source"),
        "source_epoch": EMBEDDINGS.columns["source_epoch"],
        "outcome": (
            "STRING",
            "succeeded, partial (some records refused), refused (a guard, nothing written) or failed",
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

STATE_TABLES = (INDEX_STATE, DEAD_LETTER, SYNC_RUNS)
