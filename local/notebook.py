"""Run a Databricks notebook file as it stands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local import REPOSITORY
from local.bundle.code import HEADER
from local.dbutils import Dbutils, NotebookExit
from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession

NOTEBOOKS = REPOSITORY / "notebooks"
_DLT = str(Path(__file__).parent / "notebook_path")  # where `import dlt` finds ours


def run_notebook(
    name: str,
    spark: SparkSession,
    parameters: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> str | None:
    """Execute `notebooks/<name>.py` with `spark` and `dbutils` defined; magic lines are comments, as on Databricks.

    Args:
        name: the file's name without its ending.
        spark: the session the notebook sees.
        parameters: job parameters, which it reads as widgets.
        secrets: name to value, which it reads with `dbutils.secrets`.

    Returns:
        What it handed to `dbutils.notebook.exit`, if it did.

    Raises:
        SettingsError: the file is no Databricks notebook.
    """
    path = NOTEBOOKS / f"{name}.py"
    source = path.read_text(encoding="utf-8")
    if not source.startswith(HEADER):
        raise SettingsError(f"{path.name} is no Databricks notebook: its first line must be {HEADER!r}")
    for folder in (_DLT, str(REPOSITORY)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    names = {
        "__name__": name,
        "__file__": str(path),
        "spark": spark,
        "dbutils": Dbutils(parameters or {}, secrets or {}),
    }
    try:
        exec(compile(source, str(path), "exec"), names)  # noqa: S102  # our own notebooks, which is the point
    except NotebookExit as ended:
        return ended.value
    return None
