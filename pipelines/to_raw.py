"""`raw`: the source's change feed, row by row, untouched."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from pipelines.settings import Settings


def to_raw(source: DataFrame, settings: Settings) -> DataFrame:
    """Add to each row what happened to it and when.

    Args:
        source: from `read_source`.
        settings: `source_mode` says which columns the source brings. Without a change feed every row is an insert, its
            version is left to `documents`, and it changed when it was read.
    """
    if settings.source_mode == "changes":
        return source.selectExpr(
            "* EXCEPT (_change_type, _commit_version, _commit_timestamp)",
            "_change_type AS change_type",
            "_commit_version AS source_version",
            "_commit_timestamp AS changed_at",
            "current_timestamp() AS ingested_at",
        )
    return source.selectExpr(
        "*",
        "'insert' AS change_type",
        "CAST(NULL AS BIGINT) AS source_version",
        "current_timestamp() AS changed_at",
        "current_timestamp() AS ingested_at",
    )
