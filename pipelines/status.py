"""What is to become of one document: the rule, which `to_changes` computes in Spark; a test holds them equal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pipelines.ids import TOMBSTONE_HASH

if TYPE_CHECKING:
    from pipelines.winner import Head


class Status(StrEnum):
    """What the sync does with a document."""

    SAME = "same"
    """The index holds it as it is."""
    WRITE = "write"
    """Its records are compared, and those that differ are sent."""
    DELETE = "delete"
    """All its records go."""
    PENDING = "pending"
    """The index keeps what it has until the log is whole again."""


@dataclass(frozen=True, slots=True)
class Held:
    """What `index_state` says of a document."""

    document_hash: str | None  # None: what the index holds is not known
    recipe: str | None
    deleted: bool


def status(
    head: Head | None, held: Held | None, recipe: str, *, in_source: bool | None, forgotten: bool = False
) -> Status:
    """Decide by the winner, by what the index holds, and by the source's own word.

    Args:
        head: the document's winner; None where `embeddings` has no row of it.
        held: None where no sync has met it.
        recipe: the current one.
        in_source: whether the source holds it now; None where that cannot be known. A delete needs proof: a tombstone
            that won, or False here; a row that is merely missing proves nothing.
        forgotten: somebody asked that it stay out, whatever the source says.
    """
    is_deleted = held is not None and held.deleted
    if forgotten or in_source is False or (head.deleted if head else is_deleted):
        # A delete that a crash left half done has no hash yet; a document never held is noted as deleted once.
        return Status.SAME if held is not None and held.document_hash == TOMBSTONE_HASH else Status.DELETE
    if head is None or head.recipe != recipe or not head.is_complete:
        return Status.PENDING
    as_held = held is not None and (held.document_hash, held.recipe) == (head.document_hash, head.recipe)
    return Status.SAME if as_held and not is_deleted else Status.WRITE
