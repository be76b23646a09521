"""The pipeline's tables, which are logs: their columns with types and comments. `state_tables` has the sync's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.sql import sql_name, sql_string, sql_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql.types import StructType


@dataclass(frozen=True, slots=True)
class Table:
    """A table's declaration."""

    name: str
    comment: str
    quality: str  # bronze, silver or gold
    columns: Mapping[str, tuple[str, str]]  # name -> (SQL type, comment)
    has_feed: bool = False  # what changed between two of its versions can be read
    partitioned_by: tuple[str, ...] = ()  # columns with few values, each in files of its own
    n_indexed_columns: int | None = None  # first ones that Delta skips files by: each costs time a row

    @property
    def properties(self) -> dict[str, str]:
        """Its table properties."""
        feed = {"delta.enableChangeDataFeed": "true"} if self.has_feed else {}
        n_indexed = self.n_indexed_columns
        indexed = {} if n_indexed is None else {"delta.dataSkippingNumIndexedCols": str(n_indexed)}
        return {"quality": self.quality} | feed | indexed

    def ddl(self, source_schema: StructType | None = None) -> str:
        """Columns as SQL, those of `source_schema` first.

        Nullable throughout: pipelines compare a declared schema with the inferred one, which is.
        """
        theirs = {
            field.name: (sql_type(field.dataType), field.metadata.get("comment", "a column of the source"))
            for field in (source_schema or ())
        }
        lines = [(name, kind, comment) for name, (kind, comment) in (theirs | dict(self.columns)).items()]
        return ", ".join(f"{sql_name(name)} {kind} COMMENT {sql_string(comment)}" for name, kind, comment in lines)

    def declaration(self, source_schema: StructType | None = None) -> dict[str, Any]:
        """Arguments for `@dlt.table`."""
        return {
            "name": self.name,
            "comment": self.comment,
            "table_properties": self.properties,
            "schema": self.ddl(source_schema),
        }

    def creation(self, name: str) -> str:
        """SQL that creates the table as `name` unless it is there."""
        return f"CREATE TABLE IF NOT EXISTS {self._definition(name)}"

    def additions(self, columns: Iterable[str]) -> str:
        """Columns, as SQL, that a table with these columns lacks; empty if it lacks none."""
        missing = {name: column for name, column in self.columns.items() if name not in set(columns)}
        return replace(self, columns=missing).ddl()

    def replacement(self, name: str, source_schema: StructType) -> str:
        """SQL that makes the table `name` anew, empty."""
        return f"CREATE OR REPLACE TABLE {self._definition(name, source_schema)}"

    def _definition(self, name: str, source_schema: StructType | None = None) -> str:
        properties = ", ".join(f"'{key}' = '{value}'" for key, value in self.properties.items())
        partitions = f"PARTITIONED BY ({', '.join(self.partitioned_by)}) " if self.partitioned_by else ""
        return (
            f"{name} ({self.ddl(source_schema)}) USING delta {partitions}"
            f"COMMENT {sql_string(self.comment)} TBLPROPERTIES ({properties})"
        )


_DOC_ID = ("STRING", "id of the document: first 32 hex digits of the SHA-256 of its source_id")
_SOURCE_ID = ("STRING", "id of the document in the source")
_VERSION = ("BIGINT", "orders the versions of a document: the source's commit version where it has a change feed")
_DELETED = ("BOOLEAN", "a tombstone: the document is to leave the index")
_DOCUMENT_HASH = ("STRING", "hash of the version's text and metadata; one constant for every tombstone")
_SOURCE_EPOCH = ("INT", "setting source_epoch; a higher one outranks every version of a lower one")
_CHANGED_AT = ("TIMESTAMP", "when the source committed this version")
_RECIPE = ("STRING", "what shaped the row besides the source: revisions, columns, pinned versions, model")
_ORDINAL = ("INT", "position of the sentence in the document, from 0; NULL in a tombstone")
_N_SENTENCES = ("INT", "sentences of this version; 0 in a tombstone")
_TEXT_HASH = ("STRING", "hash of the sentence")
_RECORD_ID = ("STRING", "id of the record in the index, doc_id#ordinal; doc_id# in a tombstone")

RAW = Table(
    "raw",
    "The source's change feed, row by row, untouched.",
    "bronze",
    {
        "change_type": ("STRING", "insert, update_preimage, update_postimage or delete"),
        "source_version": ("BIGINT", "the source's commit version; NULL without a change feed"),
        "changed_at": _CHANGED_AT,
        "ingested_at": ("TIMESTAMP", "when this row was read"),
    },
)

DOCUMENTS = Table(
    "documents",
    "One row per version of a document, cleaned; a deleted, blank or refused one as a tombstone.",
    "silver",
    {
        "doc_id": _DOC_ID,
        "source_id": _SOURCE_ID,
        "version": _VERSION,
        "deleted": _DELETED,
        "document": ("STRING", "cleaned text; NULL in a tombstone"),
        "document_hash": _DOCUMENT_HASH,
        "metadata": ("STRING", "the chosen columns as a JSON object: numbers and booleans stay so, times are epoch s"),
        "source_epoch": _SOURCE_EPOCH,
        "changed_at": _CHANGED_AT,
        "recipe": _RECIPE,
    },
)

DOCUMENTS_QUARANTINE = Table(
    "documents_quarantine",
    "Rows of raw that a rule refused, whole, with the rules' names.",
    "silver",
    {**RAW.columns, "reasons": ("ARRAY<STRING>", "names of the rules that do not hold")},
)

SENTENCES = Table(
    "sentences",
    "One row per sentence of a version, none longer than the model reads; a tombstone passes as one row.",
    "silver",
    {
        "id": _RECORD_ID,
        "doc_id": _DOC_ID,
        "version": _VERSION,
        "ordinal": _ORDINAL,
        "n_sentences": _N_SENTENCES,
        "sentence": ("STRING", "the sentence; NULL in a tombstone"),
        "start_char": ("INT", "where it starts in documents.document, in code points"),
        "end_char": ("INT", "where it ends, exclusive"),
        "text_hash": _TEXT_HASH,
        "source_id": _SOURCE_ID,
        "document_hash": _DOCUMENT_HASH,
        "metadata": DOCUMENTS.columns["metadata"],
        "deleted": _DELETED,
        "source_epoch": _SOURCE_EPOCH,
        "changed_at": _CHANGED_AT,
        "recipe": _RECIPE,
    },
)

EMBEDDINGS = Table(
    "embeddings",
    "One row per sentence, ready for the index: the log that the sync turns into the index's state.",
    "gold",
    {
        "id": _RECORD_ID,
        "vector": ("ARRAY<FLOAT>", "the sentence's embedding, as its model scales it; NULL in a tombstone"),
        "namespace": ("STRING", "namespace of the settings at the time; it tells, it does not filter"),
        "metadata": ("STRING", "metadata of the record as a JSON object: text, ids, ordinal, chosen columns"),
        "doc_id": _DOC_ID,
        "source_id": _SOURCE_ID,
        "version": _VERSION,
        "ordinal": _ORDINAL,
        "n_sentences": _N_SENTENCES,
        "text_hash": _TEXT_HASH,
        "document_hash": _DOCUMENT_HASH,
        "model": ("STRING", "what made the vector: name, start of the weights' SHA-256, precision"),
        "recipe": _RECIPE,
        "deleted": _DELETED,
        "source_epoch": _SOURCE_EPOCH,
        "changed_at": _CHANGED_AT,
        "embedded": ("BOOLEAN", "the model ran for this row; false where a kept vector served, and in a tombstone"),
    },
    has_feed=True,
)

PIPELINE_TABLES = tuple(table.name for table in (RAW, DOCUMENTS, DOCUMENTS_QUARANTINE, SENTENCES, EMBEDDINGS))
