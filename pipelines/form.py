"""Which documents a sync compares: those that can have changed since the last one, or all.

What becomes of a document follows from its rows in `embeddings`, from whether the source holds it, from what the
index holds of it, from the recipe, and from whether it is to be forgotten. After a good sync that left nothing open,
a document of which none of these changed is as it should be. So both forms give the same plan wherever the
incremental one is taken; a property of drawn histories.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipelines.settings import Settings
    from pipelines.snapshot import Snapshot

WHOLE_EVERY_S: Final = 24 * 3600.0
MAX_CHANGED_DOCUMENTS: Final = 10_000  # more ids than this need not be in the driver: the whole form knows no such list
GOOD: Final = ("succeeded", "partial")


@dataclass(frozen=True, slots=True)
class LastRun:
    """What `sync_runs` says of the last sync of a namespace."""

    outcome: str
    table_id: str
    table_version: int
    source_table_id: str
    source_version: int | None
    source_epoch: int
    recipe: str | None  # None in a row of an earlier release
    n_documents: int  # live ones
    n_pending: int
    n_tied: int
    whole_age_s: float | None  # since the last good sync of the whole form began


@dataclass(frozen=True, slots=True)
class Holding:
    """What `index_state` says of a namespace, counted."""

    n_documents: int  # ever synced, deleted ones included
    n_live: int  # documents that are not deleted
    n_room: int  # records that may be in the index, or were refused
    n_known: int  # records known to be in the index
    n_unknown: int  # documents of which it is not known what the index holds
    models: tuple[str, ...]  # of documents with room


def why_whole(last: LastRun | None, snapshot: Snapshot, held: Holding, settings: Settings) -> str | None:
    """Say what forbids the incremental form; None if nothing does."""
    if last is None:
        return "the first sync of this namespace"
    made_again = (last.table_id, last.source_table_id) != (snapshot.table_id, snapshot.source_table_id)
    n_open = last.n_pending + last.n_tied
    reasons = (
        (settings.retry_dead_letters, "what was refused is to be sent again"),
        (last.outcome not in GOOD, f"the last sync was not a good one: {last.outcome}"),
        (last.recipe != snapshot.recipe, "settings changed since the last sync"),
        (made_again, "a table was made again since the last sync"),
        (held.n_live != last.n_documents or not held.n_documents, "index_state is not as the last sync left it"),
        (n_open, f"the last sync left {n_open} documents open"),
        (held.n_unknown, f"of {held.n_unknown} documents it is not known what the index holds"),
        (last.whole_age_s is None or last.whole_age_s >= WHOLE_EVERY_S, "a day since the last whole one"),
    )
    return next((reason for holds, reason in reasons if holds), None)
