"""What a sync tells: the same through JSON, and all of what its table keeps."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from pipelines.report import SyncReport
from pipelines.state_tables import SYNC_RUNS
from tests.pipelines.scene import NOON

REPORT = SyncReport("run", "docs", "all", NOON, 0, "id", 7, n_upserted=3, seconds={"plan": 0.5}, advice=["do this"])


def test_json_brings_back_the_same_report() -> None:
    for report in (
        REPORT,
        replace(REPORT, ended_at=NOON, visible_at=NOON, outcome="refused", error='a "reason"', largest=[("p", 1, 9)]),
    ):
        assert SyncReport.from_json(report.as_json()) == report
        assert json.loads(report.as_json()).keys() == asdict(report).keys()


def test_json_of_a_later_release_with_more_fields_still_reads() -> None:
    assert SyncReport.from_json(json.dumps({**json.loads(REPORT.as_json()), "n_dead_letters": 0})) == REPORT


def test_it_has_every_column_of_its_table() -> None:
    assert asdict(REPORT).keys() >= SYNC_RUNS.columns.keys()


def test_a_run_that_nobody_finished_counts_as_failed() -> None:
    assert REPORT.outcome == "failed"
