"""What a commit of the source table notes: the fingerprint of the source it mirrored."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyspark.sql import SparkSession

    from pipelines.settings import Settings

_COMMIT_NOTE = "spark.databricks.delta.commitInfo.userMetadata"


def fingerprint(table: pa.Table, settings: Settings) -> str:
    """Hash of all that decides what a mirror writes: the rows with their types, and the columns that count."""
    digest = hashlib.sha256(repr((settings.id_column, settings.text_column, settings.metadata_columns)).encode())
    digest.update(table.schema.serialize())
    for batch in table.to_batches():
        digest.update(batch.serialize())
    return digest.hexdigest()


def last_fingerprint(spark: SparkSession, settings: Settings) -> str | None:
    """What the table's last commit noted; whoever else wrote since noted nothing."""
    if not spark.catalog.tableExists(settings.source_table):
        return None
    note: str | None = spark.sql(f"DESCRIBE HISTORY {settings.source} LIMIT 1").collect()[0].userMetadata
    return note


@contextmanager
def noting(spark: SparkSession, note: str) -> Iterator[None]:
    """Write a note into every Delta commit of the block."""
    spark.conf.set(_COMMIT_NOTE, note)
    try:
        yield
    finally:
        spark.conf.unset(_COMMIT_NOTE)
