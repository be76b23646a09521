"""One namespace of one index, as rows of the state tables name it.

A namespace may hold quotes, braces, ${}: it goes into no SQL text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

if TYPE_CHECKING:
    from pyspark.sql import Column

    from pipelines.settings import Settings


def place(settings: Settings) -> tuple[Column, Column]:
    """Columns `index` and `namespace` of a row that is written."""
    return F.lit(settings.index_name).alias("index"), F.lit(settings.namespace).alias("namespace")


def is_here(settings: Settings) -> Column:
    """Condition that a row is of this index and namespace."""
    return (F.col("index") == settings.index_name) & (F.col("namespace") == settings.namespace)
