"""Cron expressions that Quartz takes, and those it does not."""

from __future__ import annotations

import pytest

from local.bundle.quartz import complaint


@pytest.mark.parametrize(
    "expression",
    [
        "0 0/15 * * * ?",
        "0 0 12 ? * MON-FRI",
        "0 0 12 ? * mon-fri",
        "0 15 10 ? * 6L",
        "0 15 10 ? * FRI#3",
        "0 0 0 L * ?",
        "0 0 0 L-3W * ?",
        "0 0 0 15W * ? 2026-2030",
        "0 0 22-2 * * ?",
        "0 0 8,12,20-23/2 ? JAN,jun-AUG FRI-MON *",
        "*/10 /5 * 1/5 * ?",
        "0  0 6 * * ?",
    ],
)
def test_quartz_takes_it(expression: str) -> None:
    assert complaint(expression) is None


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("*/15 * * * *", "it has 5 fields, allowed are 6 or 7"),
        ("", "it has 0 fields"),
        ("0 0 0 1 1 ? 2026 1", "it has 8 fields"),
        ("0 0 0 * * *", "exactly one of day of month and day of week must be ?"),
        ("0 0 0 ? * ?", "exactly one of"),
        ("60 0 0 * * ?", "seconds says '60', allowed is 0 to 59"),
        ("0 60 0 * * ?", "minutes says '60'"),
        ("0 0 24 * * ?", "hours says '24', allowed is 0 to 23"),
        ("0 0 0 32 * ?", "day of month says '32'"),
        ("0 0 0 0 * ?", "day of month says '0'"),
        ("0 0 0 1 13 ?", "month says '13', allowed is 1 to 12 or JAN to DEC"),
        ("0 0 0 ? * 8", "day of week says '8', allowed is 1 to 7 or SUN to SAT"),
        ("0 0 0 ? * 6#6", "day of week says '6#6'"),
        ("0 0 0 ? * MONDAY", "day of week says 'MONDAY'"),
        ("0 0 0 32W * ?", "day of month says '32W'"),
        ("0 0/0 * * * ?", "minutes has the step '0', allowed is 1 to 59"),
        ("0 0/60 * * * ?", "minutes has the step '60'"),
        ("0 0/x * * * ?", "minutes has the step 'x'"),
        ("0 1-2-3 * * * ?", "minutes says '1-2-3'"),
        ("0 1, * * * ?", "minutes says ''"),
        ("0 ? * * * ?", "minutes says '?'"),
        ("0 0 0 1 1 ? 2030-2026", "year says '2030-2026', a range that runs backwards"),
        ("0 0 0 1 1 ? 26", "year says '26', allowed is 1970 to 2099"),
        ("0 L 0 * * ?", "minutes says 'L'"),
    ],
)
def test_quartz_does_not_take_it(expression: str, says: str) -> None:
    assert (complaint(expression) or "").startswith(says)
