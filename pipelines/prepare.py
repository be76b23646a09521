"""What must stand before a pipeline and its sync: a source that can be read, state tables, an index that fits."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pipelines.errors import SyncRefused
from pipelines.index import VectorIndex
from pipelines.source import check_change_feed, source_schema
from pipelines.state import State
from pipelines.weights import dimension

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

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

    Two requests: the index is described and its records are counted. Found empty where the state knows of records, the
    index was emptied behind our back: the state forgets what it knew, and the next sync writes everything.

    Raises:
        SourceError: the source cannot be read as the settings say.
        VectorIndexError: the index does not fit the model, or cannot be reached.
        SyncRefused: the namespace holds records that the state knows nothing of.
    """
    source_schema(spark, settings)
    check_change_feed(spark, settings)
    state = State(spark, settings)
    state.create()
    n_dimension = dimension(settings.model_path or None)
    with VectorIndex(settings, api_key) as index:
        index.ensure(n_dimension)
        n_records = index.n_records()
    n_documents, n_known = state.count()
    if n_records and not n_documents:
        raise SyncRefused(
            f"namespace {settings.namespace} of index {settings.index_name} holds {n_records} records that this "
            "pipeline did not write: choose an empty namespace"
        )
    if not n_records and n_known:
        state.forget_contents()
    return Prepared(n_dimension, n_records, index.n_checks)
