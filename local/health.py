"""`health`: the dashboard's numbers for this home, by the very queries that the bundle deploys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape
from rich.table import Table

from local import REPOSITORY
from local.commands import opened, require_tables
from local.options import Source
from local.screen import Screen
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from pyspark.sql import DataFrame, Row, SparkSession

    from local.commands import Context

DASHBOARD: Final = REPOSITORY / "resources" / "health.lvdash.json"
_N_ROWS: Final = 4  # of each query, which puts the newest first
_LOG_WIDTH: Final = 120
_IDS: Final = ("run_id", "id", "visible_at")  # too wide for a screen
_GOOD_AT_0: Final = ("n_unaccounted", "n_behind", "n_missing", "n_surplus", "n_pending")


@dataclass(frozen=True, slots=True)
class Dataset:
    """One query of the dashboard."""

    name: str
    title: str
    query: str  # names tables alone


def datasets() -> list[Dataset]:
    """Read the dashboard's queries, in its order."""
    found = json.loads(DASHBOARD.read_text(encoding="utf-8"))["datasets"]
    return [Dataset(it["name"], it["displayName"], "".join(it["queryLines"])) for it in found]


def answer(spark: SparkSession, schema: str, dataset: Dataset) -> DataFrame:
    """Run a query over the tables of a schema, as the deployed dashboard does.

    Args:
        spark: its current schema is `schema` from then on.
        schema: of the pipeline's tables.
        dataset: from `datasets`.
    """
    spark.sql(f"USE {schema}")
    return spark.sql(dataset.query)


def health(context: Context) -> None:
    """Print what the dashboard shows, of each query the newest rows.

    Raises:
        SettingsError: nothing was run in this home yet.
    """
    screen = Screen()
    with opened(context, Source.of(context.home, None, {}), screen, writes=False) as job:
        require_tables(context, job)
        settings = load_settings(job.parameters)
        with screen.stage("health", "Ask what the dashboard asks"):
            found = {it.title: answer(job.spark, settings.schema, it).limit(_N_ROWS).collect() for it in datasets()}
    places = {(row["index"], row["namespace"]) for rows in found.values() for row in rows if "index" in row}
    left_out = {*_IDS, *(("index", "namespace") if len(places) == 1 else ())}
    if not screen.console.is_terminal:
        screen.console.width = _LOG_WIDTH
    print_ = screen.console.print
    print_()
    for index, namespace in sorted(places):
        print_(escape(f"Index {index}, namespace {namespace}"))
    for title, rows in found.items():
        print_(_table(title, rows, left_out) if rows else f"{title}: none")


def _table(title: str, rows: Sequence[Row], left_out: Container[str]) -> Table:
    """Show rows, without columns that say nothing in any of them."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1))
    names = [name for name in rows[0].__fields__ if name not in left_out]
    names = [name for name in names if name in _GOOD_AT_0 or any(row[name] not in (None, 0) for row in rows)]
    for name in names:
        is_number = all(isinstance(row[name], int | float | None) for row in rows)
        table.add_column(name.removeprefix("n_"), justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*(escape(_shown(row[name])) for name in names))
    return table


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case int() | float():
            return f"{value:,}"
        case _:
            return str(value)
