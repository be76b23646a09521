"""Tables that nobody makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.checks.queries import dashboards, tables
from tests.local.bundle.seed import Seed, must_be_silent

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (
    Seed(
        "an alert's table",
        tables,
        "resources/sync.alert.yml",
        "`sync_runs`",
        "`sync_run`",
        "alert no_good_sync reads table sync_run, which no notebook and no sync makes: write sync_runs",
        at="query_text:",
    ),
    Seed(
        "a table of production in development",
        tables,
        "resources/sync.alert.yml",
        "${resources.schemas.tables.name}",
        "${var.schema}",
        "alert no_good_sync reads table sync_runs of a schema that this deployment does not make",
        at="query_text:",
    ),
    Seed(
        "a table without a schema",
        tables,
        "resources/sync.alert.yml",
        "`${var.catalog}`.`${resources.schemas.tables.name}`.`sync_runs`",
        "sync_runs",
        "alert no_good_sync reads table sync_runs without saying of which schema",
        at="query_text:",
    ),
    Seed(
        "a dashboard's table",
        tables,
        "resources/health.lvdash.json",
        "FROM sync_runs WHERE recipe",
        "FROM sync_run WHERE recipe",
        "dashboard health, dataset Index against tables reads table sync_run, which no notebook",
        at="FROM sync_run WHERE",
    ),
    Seed(
        "a dashboard that is no JSON",
        dashboards,
        "resources/health.lvdash.json",
        '  "datasets": [\n',
        '  "datasets": [,\n',
        "this is no JSON",
    ),
)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_found_where_it_is(seed: Seed, copy: Path) -> None:
    seed.must_be_found(copy)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            "resources/sync.alert.yml",
            "FROM `${var.catalog}`.",
            "FROM system.billing.usage JOIN ${var.source_table} JOIN `${var.catalog}`.",
        ),
        (
            "resources/sync.alert.yml",
            "FROM `${var.catalog}`.",
            "FROM `${var.catalog}`.information_schema.tables JOIN `${var.catalog}`.",
        ),
        (
            "resources/sync.alert.yml",
            "`${var.catalog}`.`${resources.schemas.tables.name}`.`sync_runs`",
            "`${resources.schemas.tables.name}`.sync_runs",
        ),
    ],
)
def test_tables_that_are_there_anyway_pass(copy: Path, file: str, old: str, new: str) -> None:
    must_be_silent(copy, file, old, new)
