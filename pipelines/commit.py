"""One commit to a table that syncs of several namespaces write to, and whether it is time to tidy it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyspark.errors import PySparkException

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession

MANY_FILES: Final = 100  # each commit makes one or two
MAX_TRIES: Final = 20  # each costs the others seconds as well, so that they do not meet for long


def commit(write: Callable[[], Any], may_write: Callable[[], None] = lambda: None) -> None:
    """Write, and again where another namespace's sync came first: Delta compares files, and these hold rows of both.

    Args:
        write: one commit; done again, it must be right again.
        may_write: asked before every try; raises if another run may be writing to this namespace.

    Raises:
        PySparkException: it failed for another reason, or others came first every time.
    """
    for n_left in reversed(range(MAX_TRIES)):
        may_write()
        try:
            write()
        except PySparkException as error:
            if not n_left or not (error.getCondition() or "").startswith("DELTA_CONCURRENT"):
                raise
        else:
            return


def has_many_files(spark: SparkSession, table: str) -> bool:
    """Say whether a table has so many files that to gather them pays."""
    n_files: int = spark.sql(f"DESCRIBE DETAIL {table}").collect()[0].numFiles
    return n_files > MANY_FILES
