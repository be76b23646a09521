"""What to send for one document: the records that differ between what should be and what may be in the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Per ordinal, the payload hash of the record in the index; None where it is not known what is there, if anything.
HeldHashes = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class DocumentPlan:
    """What one document needs, as ordinals."""

    upserts: tuple[int, ...]  # new, changed, or not known to be right
    deletes: tuple[int, ...]  # beyond the last sentence, and perhaps in the index
    n_unchanged: int

    def intent(self, held: HeldHashes) -> HeldHashes:
        """What is known while the requests are on their way: nothing, at every ordinal they touch.

        The room never shrinks here. Whatever a run that dies halfway leaves in the index stands at an ordinal
        that the next plan overwrites or deletes, even if that plan is another one.
        """
        touched = {*self.upserts, *self.deletes}
        room = max(len(held), 1 + max(touched, default=-1))
        return tuple(None if i in touched or i >= len(held) else held[i] for i in range(room))


def plan_document(desired: Sequence[str], held: HeldHashes) -> DocumentPlan:
    """Compare a document's desired payload hashes with those held, position by position.

    Args:
        desired: the payload hash of each sentence, in order; empty for a deleted document.
        held: what the index may hold; empty if it never held the document.
    """
    upserts = tuple(i for i, wanted in enumerate(desired) if i >= len(held) or held[i] != wanted)
    return DocumentPlan(upserts, tuple(range(len(desired), len(held))), len(desired) - len(upserts))
