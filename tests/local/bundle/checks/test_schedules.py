"""Mistakes in when things run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.checks.schedules import awake_in_development, cron_expressions, one_start, time_zones
from tests.local.bundle.seed import TOP, Seed, must_be_silent

if TYPE_CHECKING:
    from pathlib import Path

ALERT = "resources/sync.alert.yml"
SEEDS = (
    Seed(
        "a cron expression of Unix, in a variable",
        cron_expressions,
        TOP,
        "default: 0 0/15 * * * ?",
        'default: "*/15 * * * *"',
        "job sync has cron expression '*/15 * * * *', it has 5 fields, allowed are 6 or 7: write seconds minutes",
    ),
    Seed(
        "a cron expression with a day of month and a day of week",
        cron_expressions,
        TOP,
        "quartz_cron_expression: ${var.schedule}",
        "quartz_cron_expression: 0 0 6 * * *",
        "exactly one of day of month and day of week must be ?",
    ),
    Seed(
        "an alert's cron expression out of range",
        cron_expressions,
        ALERT,
        "quartz_cron_schedule: 0 20 * * * ?",
        "quartz_cron_schedule: 0 60 * * * ?",
        "alert no_good_sync has cron expression '0 60 * * * ?', minutes says '60', allowed is 0 to 59",
    ),
    Seed(
        "a job's time zone",
        time_zones,
        TOP,
        "timezone_id: UTC",
        "timezone_id: Europe/Berlim",
        "job sync has the unknown time zone 'Europe/Berlim'",
    ),
    Seed(
        "a folder of time zones, in an alert",
        time_zones,
        ALERT,
        "timezone_id: UTC",
        "timezone_id: Europe",
        "alert no_good_sync has the unknown time zone 'Europe'",
    ),
    Seed(
        "a schedule beside a trigger",
        one_start,
        TOP,
        "          trigger:\n",
        '          schedule: {quartz_cron_expression: "0 0 6 * * ?", timezone_id: UTC}\n          trigger:\n',
        "job sync has schedule and trigger",
        at="trigger:",
    ),
    Seed(
        "a schedule beside continuous",
        one_start,
        "resources/sync.job.yml",
        "      queue:\n",
        "      continuous:\n        pause_status: PAUSED\n      queue:\n",
        "job sync has schedule and continuous",
        also=1,  # continuous beside the trigger of staging
    ),
    Seed(
        "a schedule that runs in development",
        awake_in_development,
        TOP,
        "            timezone_id: UTC\n",
        "            timezone_id: UTC\n            pause_status: UNPAUSED\n",
        "job sync runs in target dev",
        at="UNPAUSED",
    ),
    Seed(
        "an alert that runs in development, where nothing pauses it",
        awake_in_development,
        TOP,
        "        pending: *paused\n\n",
        "\n",
        "alert pending runs in target dev",
        at="      schedule:",
        found_in="resources/pending.alert.yml",
    ),
)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_found_where_it_is(seed: Seed, copy: Path) -> None:
    seed.must_be_found(copy)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            TOP,
            "            timezone_id: UTC\n",
            "            timezone_id: Europe/Berlin\n            pause_status: PAUSED\n",
        ),
        (
            "resources/sync.alert.yml",
            "        timezone_id: UTC\n",
            "        timezone_id: America/Argentina/Buenos_Aires\n        pause_status: UNPAUSED\n",
        ),
    ],
)
def test_what_production_or_a_pause_says_passes(copy: Path, file: str, old: str, new: str) -> None:
    must_be_silent(copy, file, old, new)
