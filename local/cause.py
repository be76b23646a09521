"""Why an update failed, in one line; what a source did that no stream can follow comes with what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.tables import RAW

if TYPE_CHECKING:
    from pyspark.errors import PySparkException

    from pipelines.settings import Settings

_STREAM = re.compile(r"^Identifier: (?:\w+\.)*(?P<table>\w+) \[id", re.MULTILINE)
_NO_FEED = (
    "had rows changed or deleted, which source_mode appends cannot follow: enable its change feed, set source_mode to "
    "changes and run a full refresh"
)
_OTHER_COLUMNS = "had a column renamed, dropped or retyped since the last update: run a full refresh of all tables"
_TOO_LATE = (
    "no longer keeps all changes since the last update: run a full refresh, and update more often or raise its "
    "retention (delta.logRetentionDuration, delta.deletedFileRetentionDuration)"
)
# What Delta says of a source that a stream cannot go on with; its own advice would lose changes in silence.
ADVICE = {
    "DELTA_SOURCE_TABLE_IGNORE_CHANGES": _NO_FEED,
    "DELTA_SOURCE_IGNORE_DELETE": _NO_FEED,
    "DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE": (
        "was dropped and made again since the last update: set source_epoch to one more, for good, and run a "
        "full refresh"
    ),
    "DELTA_STREAMING_INCOMPATIBLE_SCHEMA_CHANGE": _OTHER_COLUMNS,
    "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE": _OTHER_COLUMNS,
    "DELTA_UNSUPPORTED_DROP_COLUMN": _OTHER_COLUMNS,
    "DELTA_MISSING_CHANGE_DATA": (
        "had its change feed off for some commits since the last update: see that it is on, and run a full refresh"
    ),
    "DELTA_LOG_FILE_NOT_FOUND": _TOO_LATE,
    "FAILED_READ_FILE.FILE_NOT_EXIST": _TOO_LATE,
}


def cause_of(error: PySparkException, settings: Settings) -> str:
    """Name the innermost cause in one line; Spark's message holds the whole chain and its stack."""
    stream = _STREAM.search(str(error))
    for condition, advice in ADVICE.items():
        if condition in str(error) and (stream is None or stream["table"] == RAW.name):
            return f"source table {settings.source_table} {advice}"
    lines = [line.strip() for line in str(error).splitlines()]
    causes = [line for line in lines if line and not line.startswith(("at ", "JVM stacktrace", "..."))]
    ours = [line for line in causes if line.startswith("pipelines.errors.")]
    return (ours[-1].split(": ", 1)[-1] if ours else causes[0]) if causes else type(error).__name__
