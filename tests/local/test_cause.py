"""Why an update failed: one line, with advice where a source did what no stream can follow."""

from __future__ import annotations

import pytest
from pyspark.errors import PySparkException

from local.cause import ADVICE, cause_of
from pipelines.settings import Settings

SOURCE = "a.source"
GONE, NOT_OURS = ADVICE["FAILED_READ_FILE.FILE_NOT_EXIST"], "[FAILED_READ_FILE.FILE_NOT_EXIST] x"


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("[SOME_CONDITION] It is so.\nJVM stacktrace:\n\tat a.b.C(D.scala:1)", "[SOME_CONDITION] It is so."),
        ("\n  at a.b.C\n  [REAL] cause\n ... 3 more", "[REAL] cause"),
        (
            "[FLOW_FAILED] raw\nTraceback:\npipelines.errors.ModelError: the file is cut\n\n\tat a.b.C(D.scala:1)",
            "the file is cut",
        ),
        ("first\npipelines.errors.SourceError: outer\npipelines.errors.ModelError: a: b", "a: b"),
        ("", "PySparkException"),
        *(
            (f"[STREAM_FAILED] x\n[{condition}] set skipChangeCommits", f"source table {SOURCE} {advice}")
            for condition, advice in ADVICE.items()
        ),
        (
            "[FAILED_READ_FILE.FILE_NOT_EXIST] x\nIdentifier: spark_catalog.s.raw [id = 1]",
            f"source table {SOURCE} {GONE}",
        ),
        # Of a table of ours it says nothing about the source.
        ("[FAILED_READ_FILE.FILE_NOT_EXIST] x\nIdentifier: spark_catalog.s.documents [id = 1]", NOT_OURS),
    ],
)
def test_a_cause_is_one_line_ours_before_sparks(message: str, cause: str) -> None:
    assert cause_of(PySparkException(message), Settings(source_table=SOURCE)) == cause
