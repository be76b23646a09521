"""What a run did, put together from what its stages counted."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime

from local.figures import Figures, figures
from local.loader import Mirrored
from local.update import Update
from pipelines import rules
from pipelines.report import SyncReport

REPORT = SyncReport(
    "run", "local", "__default__", datetime(2026, 1, 1, tzinfo=UTC), 0,
    n_documents=11, n_sentences=12, n_records=13, n_upserted=14, n_deleted=15, n_unchanged=16, n_pending=17,
    n_requests=18, n_checks=19, advice=["look here"],
)  # fmt: skip
COUNTS = {
    "raw.rows.n_rows": 9,
    "documents.n_read": 9,
    "documents.n_kept": 5,
    "documents.n_withdrawn": 3,
    "documents.n_quarantined": 1,
    "documents.rows.n_rows": 10,  # the quarantined row came out twice: as it is, which is dropped, and as its tombstone
    "documents.rows.id_is_present": 1,
    "documents_quarantine.rows.n_rows": 1,
    "sentences.rows.n_rows": 30,
    "embeddings.rows.n_rows": 31,
    "embeddings.n_embedded": 27,
    "embeddings.n_served": 3,
}


def put_together(counts: dict[str, int]) -> Figures:
    update = Update(counts, {"raw": 0.5, "documents": 0.25})
    return figures(Mirrored(1, 2, 3, 4), update, REPORT, 2, {"spark": 2.0, "pipeline": 4.0})


def test_each_figure_comes_from_the_stage_that_counted_it() -> None:
    assert put_together(COUNTS) == Figures(
        n_read=9, n_kept=5, n_withdrawn=3, n_quarantined=1, n_embedded=27, n_served=3,
        n_documents=11, n_sentences=12, n_records=13, n_upserted=14, n_deleted=15, n_unchanged=16, n_pending=17,
        n_requests=18,
        n_checks=21,  # of prepare and of the sync
        n_refused=dict.fromkeys(rules.DOCUMENTS, 0) | {"id_is_present": 1},
        n_rows={"raw": 9, "documents": 9, "documents_quarantine": 1, "sentences": 30, "embeddings": 31},
        source={"n_inserted": 1, "n_updated": 2, "n_deleted": 3, "n_unchanged": 4},
        seconds={"spark": 2.0, "pipeline": 4.0, "pipeline.raw": 0.5, "pipeline.documents": 0.25},
        advice=("look here",),
    )  # fmt: skip


def test_an_update_with_nothing_to_read_counts_nothing() -> None:
    idle = put_together({})
    counted = ("n_read", "n_kept", "n_withdrawn", "n_quarantined", "n_embedded")
    assert [getattr(idle, name) for name in counted] == [0] * len(counted)
    assert set(idle.n_rows.values()) == {0}
    assert set(idle.n_refused) == set(rules.DOCUMENTS)
    assert idle.n_records == 13  # totals come from the sync, which looks at all


def test_figures_pass_through_json_whole() -> None:
    whole = put_together(COUNTS).as_dict()
    assert set(whole) == {field.name for field in fields(Figures)}
    assert json.loads(json.dumps(whole)) == whole | {"advice": ["look here"]}
