"""What no sound run would do, refused before the first write."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from pipelines.errors import SyncRefused

if TYPE_CHECKING:
    from pipelines.changes import Summary
    from pipelines.settings import Settings

MIN_GUARDED_RECORDS: Final = 100  # a namespace this small may lose any share of its records


class Guard:
    """What one sync may do to its namespace.

    Args:
        summary: what it is about to do.
        settings: `max_delete_ratio`, and the namespace's name for the message.
    """

    def __init__(self, summary: Summary, settings: Settings) -> None:
        self._summary = summary
        self._settings = settings
        self._n_deletes = summary.n_deletes

    def check(self) -> None:
        """Refuse what the plan shows to be wrong.

        Raises:
            SyncRefused: two models, deletes without proof, or too many of them.
        """
        summary, namespace = self._summary, self._settings.namespace
        if summary.other_models:
            raise SyncRefused(
                f"namespace {namespace} holds vectors of {', '.join(summary.other_models)}, and the settings say "
                "another model: vectors of two models never mix, choose another namespace"
            )
        if summary.n_gone and summary.n_reshaped:
            raise SyncRefused(
                f"{summary.n_reshaped} documents were made by other settings or from another source table, so that "
                f"{summary.n_gone} ids which the source does not hold prove nothing: run a full refresh of the pipeline"
            )
        self.allow_deletes(0)

    def allow_deletes(self, n_more: int) -> None:
        """Count deletes that no plan could know of: of records whose successors the index refuses.

        Raises:
            SyncRefused: with them there are too many.
        """
        self._n_deletes += n_more
        n_held = self._summary.n_held
        ratio = self._n_deletes / n_held if n_held else 0.0
        if n_held >= MIN_GUARDED_RECORDS and ratio > self._settings.max_delete_ratio:
            enough = ceil(ratio * 100) / 100
            raise SyncRefused(
                f"this sync would delete {self._n_deletes} of {n_held} records ({ratio:.0%}), allowed are "
                f"{self._settings.max_delete_ratio:.0%}: if that is right, run once with max_delete_ratio={enough}, "
                f"a parameter of the job, locally --set max_delete_ratio={enough}"
            )
