"""What one run did, in numbers: the screen that ends it, and the file that `--json` writes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines import rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.loader import Mirrored
    from local.update import Update
    from pipelines.report import SyncReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts of this run, but for the three totals."""

    n_read: int  # rows of `raw` that came to be judged: what is new in it, or all of it after a refresh
    n_kept: int  # of those, the ones that became a live version of a document
    n_withdrawn: int  # only withdrew: deletes, blank texts, an update's old row
    n_quarantined: int  # refused by a rule
    n_embedded: int  # sentences that went through the model
    n_served: int  # sentences that needed no model: their vector was kept, or an equal one came before
    n_upserted: int  # records written
    n_deleted: int  # records deleted
    n_unchanged: int  # records that stayed
    n_pending: int  # documents held back
    n_requests: int  # requests that read or wrote records
    n_checks: int  # requests that only described the index
    n_documents: int  # total: live documents
    n_sentences: int  # total: their sentences
    n_records: int  # total: records in the index
    n_refused: Mapping[str, int]  # rows that each rule refused
    n_rows: Mapping[str, int]  # rows that each table took in
    source: Mapping[str, int]  # what changed in the source table
    seconds: Mapping[str, float]  # per stage, and each flow within `pipeline`
    advice: tuple[str, ...] = field(default=())  # what a person should know or do

    def as_dict(self) -> dict[str, Any]:
        """Return every figure, ready for JSON."""
        return asdict(self)


def figures(
    mirrored: Mirrored, update: Update, report: SyncReport, n_checks: int, seconds: Mapping[str, float]
) -> Figures:
    """Put together what the stages of a run counted."""
    counts = update.counts
    refused = {rule: counts.get(f"documents.rows.{rule}", 0) for rule in rules.DOCUMENTS}
    return Figures(
        n_read=counts.get("documents.n_read", 0),
        n_kept=counts.get("documents.n_kept", 0),
        n_withdrawn=counts.get("documents.n_withdrawn", 0),
        n_quarantined=counts.get("documents.n_quarantined", 0),
        n_embedded=counts.get("embeddings.n_embedded", 0),
        n_served=counts.get("embeddings.n_served", 0),
        n_upserted=report.n_upserted,
        n_deleted=report.n_deleted,
        n_unchanged=report.n_unchanged,
        n_pending=report.n_pending,
        n_requests=report.n_requests,
        n_checks=n_checks + report.n_checks,
        n_documents=report.n_documents,
        n_sentences=report.n_sentences,
        n_records=report.n_records,
        n_refused=refused,
        n_rows=update.n_rows(),
        source={name: n for name, n in asdict(mirrored).items() if name != "advice"},
        seconds={**seconds, **{f"pipeline.{table}": took for table, took in update.seconds.items()}},
        advice=(*mirrored.advice, *report.advice),
    )
