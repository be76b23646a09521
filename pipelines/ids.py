"""The ids and hashes that make a replay give the same result, and the columns that compute them in Spark.

An id names a place (a document, a sentence's position in it); a hash names a content. The index is keyed by
ids: keyed by a content hash, two documents with one sentence in common would share a record, and deleting
either would take it from both.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column

HASH_HEX = 32  # hex digits kept of a SHA-256: 128 bits, collisions out of reach
TOMBSTONE_HASH = "deleted"  # the `document_hash` of every tombstone


def content_hash(text: str) -> str:
    """First 32 hex digits of the SHA-256 of `text` in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_HEX]


def doc_id(source_id: str) -> str:
    """Id of a document: the hash of its source id, so that any source id gives a valid Pinecone id."""
    return content_hash(source_id)


def record_id(doc_id: str, ordinal: int | None) -> str:
    """Id of a sentence's record, `doc_id#ordinal`; of a tombstone's row, `doc_id#`."""
    return f"{doc_id}#{'' if ordinal is None else ordinal}"


def content_hash_column(*columns: Column) -> Column:
    """`content_hash` in Spark, of the columns joined by a NUL, which cleaned text never holds; NULL if one is."""
    from pyspark.sql import functions as F  # noqa: N812, PLC0415  # Spark's own name for it; pure callers need no Spark

    joined = columns[0] if len(columns) == 1 else F.concat(*[part for c in columns for part in (c, F.lit("\0"))])
    return F.substring(F.sha2(joined, 256), 1, HASH_HEX)
