"""What writing costs: by the service's rules, a kilobyte a unit and five a request at least."""

from __future__ import annotations

from pipelines.cost import add_cost
from pipelines.report import SyncReport
from tests.pipelines.scene import NOON


def cost(written: list[int], replaced: list[int], n_deleted: int) -> tuple[int, int, int]:
    report = SyncReport("run", "docs", "all", NOON, 0, dimension=384)
    add_cost(report, written, replaced, n_deleted)
    return report.n_bytes, report.n_planned_requests, report.n_write_units


def test_every_request_costs_five_units_at_least() -> None:
    assert cost([], [], 0) == (0, 0, 0)
    assert cost([300], [], 0) == (36 + 300 + 4 * 384, 1, 5)
    assert cost([300], [], 1) == (1872, 2, 10)


def test_a_record_that_replaces_another_costs_both() -> None:
    assert cost([300] * 100, [], 0) == (187_200, 1, 188)
    assert cost([300] * 100, [300] * 100, 0) == (187_200, 1, 375)


def test_requests_are_cut_as_they_are_sent() -> None:
    assert cost([300] * 1_000, [], 2_001)[1] == 4 + 3
