"""One update of the pipeline: what `databricks bundle run` starts on Databricks, on open source Spark."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from threading import Condition
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from pyspark.errors import PySparkException
from pyspark.pipelines.add_pipeline_analysis_context import add_pipeline_analysis_context
from pyspark.pipelines.block_session_mutations import block_session_mutations
from pyspark.pipelines.graph_element_registry import graph_element_registration_context
from pyspark.pipelines.spark_connect_graph_element_registry import SparkConnectGraphElementRegistry
from pyspark.pipelines.spark_connect_pipeline import create_dataflow_graph, start_run
from pyspark.sql.streaming.listener import StreamingQueryListener

from local.cause import cause_of
from local.notebook import run_notebook
from local.outgrown import remake_outgrown
from pipelines.errors import SettingsError, UpdateFailed
from pipelines.settings import CONFIGURATION_PREFIX, load_settings
from pipelines.tables import PIPELINE_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.listener import (
        QueryIdleEvent,
        QueryProgressEvent,
        QueryStartedEvent,
        QueryTerminatedEvent,
    )

    from pipelines.settings import Settings

PIPELINE_NOTEBOOKS = ("bronze", "silver", "gold")

# How long, in whole seconds, a flow of a pipeline that has ended goes unnoticed; 0 keeps a core busy with looking.
_POLLING_S = "spark.sql.pipelines.execution.streamstate.pollingInterval"
_FLOW_EVENT = re.compile(r"Flow (?:\w+\.)*(?P<table>\w+) (?:is|has) (?P<state>[A-Z_]+)")
_REPORT_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Update:
    """What one update did."""

    counts: Mapping[str, int]  # observed, `table.rows.n_rows`, `documents.n_kept`, ...; of this update
    seconds: Mapping[str, float]  # per flow, from start to end

    def n_rows(self) -> dict[str, int]:
        """Count the rows each table took in, without those a rule dropped."""
        dropped = self.counts.get("documents.n_quarantined", 0)
        taken = {table: self.counts.get(f"{table}.rows.n_rows", 0) for table in PIPELINE_TABLES}
        return taken | {"documents": taken["documents"] - dropped}


class Progress(Protocol):
    """What wants to hear of an update while it runs."""

    def state(self, table: str, state: str) -> None:
        """Hear that the flow into `table` is queued, running, completed, failed, ..."""

    def rows(self, table: str, n_rows: int) -> None:
        """Hear how many rows the flow has taken in so far."""


def update(  # noqa: PLR0913  # what one update is
    spark: SparkSession,
    parameters: Mapping[str, str],
    storage: Path,
    progress: Progress,
    full_refresh: Sequence[str] | None = None,
    *,
    in_haste: bool = False,
) -> Update:
    """Run every flow until it has read what there is.

    Args:
        spark: the session; the parameters become its configuration.
        parameters: settings by name, the pipeline's configuration on Databricks.
        storage: folder for the flows' checkpoints.
        progress: told of states and rows as they come.
        full_refresh: tables to empty and fill again; an empty list means all, None means none.
        in_haste: look all the time whether a flow has ended, not once a second; it takes a core.

    Raises:
        SettingsError: a table to refresh is not the pipeline's.
        UpdateFailed: a flow failed; the message is its cause.
    """
    unknown = [table for table in full_refresh or () if table not in PIPELINE_TABLES]
    if unknown:
        raise SettingsError(f"no table {unknown[0]} to refresh; the pipeline has {', '.join(PIPELINE_TABLES)}")
    settings = load_settings(parameters)
    configuration = {CONFIGURATION_PREFIX + name: text for name, text in parameters.items()}
    if in_haste:
        configuration[_POLLING_S] = "0"
    watch = _Watch(progress)
    spark.streams.addListener(watch)
    try:
        for name, text in configuration.items():
            spark.conf.set(name, text)
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS `{settings.schema}`")
        if full_refresh is not None and not full_refresh:
            remake_outgrown(spark, settings)
        graph_id = _declare(spark, settings)
        events = start_run(
            spark,
            graph_id,
            full_refresh=full_refresh,
            full_refresh_all=full_refresh is not None and not full_refresh,
            # Spark would update the named tables alone, and leave those below them behind.
            refresh=[table for table in PIPELINE_TABLES if table not in full_refresh] if full_refresh else None,
            dry=False,
            storage=storage.as_uri(),
        )
        return _follow(events, watch, progress, settings)
    finally:
        spark.streams.removeListener(watch)
        for name in configuration:
            spark.conf.unset(name)


def _declare(spark: SparkSession, settings: Settings) -> str:
    """Run the notebooks, whose decorators register tables and flows in a new graph; return the graph's id."""
    graph_id = create_dataflow_graph(spark, settings.catalog, settings.schema, sql_conf={})
    registry = SparkConnectGraphElementRegistry(spark, graph_id)
    with (
        graph_element_registration_context(registry),
        add_pipeline_analysis_context(spark=spark, dataflow_graph_id=graph_id, flow_name=None),
        block_session_mutations(),
    ):
        for name in PIPELINE_NOTEBOOKS:
            run_notebook(name, spark)
    return graph_id


def _follow(events: Iterator[dict[str, Any]], watch: _Watch, progress: Progress, settings: Settings) -> Update:
    """Read the run's events to its end."""
    started: dict[str, float] = {}
    seconds: dict[str, float] = {}
    try:
        for event in events:
            if "pipeline_event_result" not in event:
                continue
            change = _FLOW_EVENT.match(event["pipeline_event_result"].event.message)
            if change is None:
                continue
            table, state = change["table"], change["state"].lower()
            progress.state(table, state)
            if state == "running":
                started[table] = monotonic()
            elif table in started:
                seconds[table] = monotonic() - started[table]
    except PySparkException as error:
        raise UpdateFailed(cause_of(error, settings)) from error
    watch.wait_for(len(started))
    return Update(dict(watch.counts), seconds)


class _Watch(StreamingQueryListener):
    """Adds up what the flows observe. Each micro-batch reports once, when it is committed."""

    def __init__(self, progress: Progress) -> None:
        self.counts: Counter[str] = Counter()
        self._progress = progress
        self._n_ended = 0
        self._ended = Condition()

    def wait_for(self, n_flows: int) -> None:
        """Wait until as many flows have reported their end: reports come on their own thread, after the run's end."""
        with self._ended:
            if not self._ended.wait_for(lambda: self._n_ended >= n_flows, timeout=_REPORT_LIMIT_S):
                raise UpdateFailed(f"Spark did not report the counts of {n_flows - self._n_ended} flows")

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802  # Spark's name
        """Ignore it: what counts is progress and end."""

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802  # Spark's name
        """Add up one micro-batch."""
        for observation, row in event.progress.observedMetrics.items():
            for name, value in row.asDict().items():
                self.counts[f"{observation}.{name}"] += value or 0
            table, _, rest = observation.partition(".")
            if rest == "rows":
                self._progress.rows(table, self.counts[f"{observation}.n_rows"])

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802  # Spark's name
        """Ignore it."""

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: ARG002, N802  # Spark's name
        """Note that a flow has reported all it has."""
        with self._ended:
            self._n_ended += 1
            self._ended.notify_all()
