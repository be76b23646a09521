"""Rows of the logs as a world without Spark has them, and the logs themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Content(NamedTuple):
    """What the source says of a document."""

    text: str
    title: str = ""

    @property
    def is_live(self) -> bool:
        return bool(self.text) and "!" not in self.text


class Change(NamedTuple):
    """A row of the feed, and of `raw`."""

    doc_id: str
    is_delete: bool
    version: int
    content: Content


class Version(NamedTuple):
    """A row of `documents`."""

    doc_id: str
    source_epoch: int
    version: int
    content: Content | None  # None in a tombstone
    recipe: str


class Sentence(NamedTuple):
    """A row of `sentences`, and with the model in its recipe and payload one of `embeddings`."""

    doc_id: str
    source_epoch: int
    version: int
    deleted: bool
    recipe: str
    document_hash: str
    n_sentences: int  # up to here it is a `Head` but for its count
    ordinal: int | None
    payload: str
    model: str


@dataclass(slots=True)
class Log:
    """A table that only grows, or is emptied; and how far its flow has read the table above it."""

    rows: list[tuple[int, Any]] = field(default_factory=list)  # numbered from the first ever written
    n_written: int = 0
    n_read: int = 0
    touched: list[str] = field(default_factory=list)  # its change feed: the document of each row added or taken away
    table_id: int = 0

    def append(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self.rows.append((self.n_written, row))
            self.touched.append(row.doc_id)
            self.n_written += 1

    def clear(self) -> None:
        self.touched += [row.doc_id for _, row in self.rows]
        self.rows, self.n_read = [], 0

    def make_again(self) -> None:
        """Drop the table; the new one has another id, and its versions start anew."""
        self.rows, self.n_read, self.touched = [], 0, []
        self.table_id += 1
