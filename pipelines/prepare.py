"""What must stand before a pipeline and its sync: a source that can be read, state tables, an index that fits."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pipelines.errors import SourceError, SyncRefused
from pipelines.index import VectorIndex
from pipelines.lease import Lease
from pipelines.reader import Reader
from pipelines.runs import last_run
from pipelines.source import source_schema, source_table_id
from pipelines.state import State
from pipelines.weights import dimension

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipelines.form import LastRun
    from pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` found."""

    dimension: int  # of the model, and so of the index
    n_records: int  # in the namespace, by the index's statistics
    n_checks: int  # requests made to find out

    def as_json(self) -> str:
        """JSON object of every field."""
        return json.dumps(asdict(self))


def prepare(spark: SparkSession, settings: Settings, api_key: str) -> Prepared:
    """Check the source, create the state tables, check or create the index, and compare it with the state.

    A dry run checks the source alone, and makes nothing. Else two requests, where the index is there: it is described
    and its records are counted. Found empty where the state knows of records, it was emptied behind our back: the state
    forgets what it knew, and the next sync writes all.

    Raises:
        SourceError: the source cannot be read as the settings say, or its versions start anew.
        VectorIndexError: the index does not fit the model, or cannot be reached.
        SyncRefused: the namespace holds records that the state knows nothing of.
    """
    source_schema(spark, settings)
    table_id = source_table_id(spark, settings)
    _check_epoch(settings, table_id, last_run(spark, settings))
    n_dimension = dimension(settings.model_path or None)
    if settings.dry_run:
        return Prepared(n_dimension, 0, 0)
    state = State(spark, settings)
    state.create()
    with VectorIndex(settings, api_key) as index:
        index.ensure(n_dimension)
        n_records = Reader(index, settings.namespace).n_records()
    held = state.holding()
    if n_records and not held.n_documents and not settings.adopt:
        raise SyncRefused(
            f"namespace {settings.namespace} of index {settings.index_name} holds {n_records} records of which this "
            "pipeline's state knows nothing: choose an empty namespace, or, if the records are this pipeline's and the "
            "state was lost, run once with adopt=true"
        )
    if not n_records and held.n_known:
        with Lease(spark, settings, str(uuid.uuid4())):  # a sync that runs now may only not be seen yet
            state.forget_contents()
    return Prepared(n_dimension, n_records, index.n_checks)


def _check_epoch(settings: Settings, table_id: str, last: LastRun | None) -> None:
    """Refuse versions that cannot be compared with those of the last sync."""
    if last is None:
        return
    last_id, last_epoch = last.source_table_id, last.source_epoch
    if settings.source_epoch < last_epoch:
        raise SourceError(
            f"source_epoch is {settings.source_epoch} and was {last_epoch} in the last sync, whose rows would outrank "
            f"all new ones: set it to {last_epoch} or more"
        )
    if settings.source_epoch == last_epoch and table_id != last_id:
        raise SourceError(
            f"source table {settings.source_table} was dropped and made again since the last sync, and its versions "
            f"start anew: set source_epoch to {last_epoch + 1}, for good, and run a full refresh"
        )
