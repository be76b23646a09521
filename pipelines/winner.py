"""Which of a document's versions is true.

The tables are logs: versions repeat after a refresh, arrive cut over micro-batches, and stand beside rows of
older recipes. What is true is decided among all of them, here, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Head:
    """One version of one document, as `embeddings` holds it: its rows counted, not listed."""

    doc_id: str
    source_epoch: int
    version: int
    deleted: bool  # a tombstone
    recipe: str
    document_hash: str
    n_sentences: int  # how many the version has
    n_rows: int  # how many of them are here, each ordinal counted once

    @property
    def is_complete(self) -> bool:
        """Every sentence of the version is here. A tombstone has none to miss."""
        return self.deleted or self.n_rows == self.n_sentences


def winner(heads: Iterable[Head], recipe: str) -> Head:
    """Return the version that says what is true now, among all versions of one document.

    Highest epoch, then highest version. Then live before tombstone: an INSERT OVERWRITE writes a delete and an
    insert of each row with one version, and an UPDATE a preimage (a tombstone) and a postimage. Then the
    current `recipe`. The hash comes last, to choose one where a source inserted an id twice in one commit:
    `n_tied` tells that it did.
    """
    return min(
        heads,
        key=lambda head: (
            -head.source_epoch,
            -head.version,
            head.deleted,
            head.recipe != recipe,
            head.document_hash,
            head.recipe,
        ),
    )


def n_tied(heads: Iterable[Head], won: Head) -> int:
    """Count the texts that claim to be the winner's version: more than one is a fault of the source."""
    place = (won.source_epoch, won.version, won.deleted, won.recipe)
    same = (head for head in heads if (head.source_epoch, head.version, head.deleted, head.recipe) == place)
    return len({head.document_hash for head in same})
