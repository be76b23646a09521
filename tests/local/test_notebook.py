"""Databricks notebook files, run as they stand."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, cast

import pytest

from local import notebook
from local.notebook import run_notebook
from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

HEADER = "# Databricks notebook source\n"
A_SESSION = cast("SparkSession", "the session")
BUNDLED = sorted(path.stem for path in notebook.NOTEBOOKS.glob("*.py"))


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder whose notebooks are run in place of the bundle's."""
    monkeypatch.setattr(notebook, "NOTEBOOKS", tmp_path)
    return tmp_path


def test_a_notebook_sees_spark_its_parameters_and_its_secrets(notebooks: Path) -> None:
    (notebooks / "given.py").write_text(f"""{HEADER}
# MAGIC %md
# MAGIC # A heading
# COMMAND ----------
found = (spark, dbutils.widgets.get("schema"), dbutils.secrets.get("scope", "key"), __name__)
dbutils.notebook.exit(repr(found))
""")
    told = run_notebook("given", A_SESSION, {"schema": "s"}, {"key": "hush"})
    assert told == repr(("the session", "s", "hush", "given"))


def test_exit_ends_a_notebook_where_it_stands(notebooks: Path) -> None:
    (notebooks / "early.py").write_text(f"{HEADER}dbutils.notebook.exit('early')\nraise AssertionError\n")
    assert run_notebook("early", A_SESSION) == "early"


def test_a_notebook_that_does_not_exit_hands_back_nothing(notebooks: Path) -> None:
    (notebooks / "quiet.py").write_text(f"{HEADER}found = 1\n")
    assert run_notebook("quiet", A_SESSION) is None


def test_each_run_starts_with_no_names_of_the_last(notebooks: Path) -> None:
    (notebooks / "twice.py").write_text(f"{HEADER}assert 'left' not in globals()\nleft = 1\n")
    for _ in range(2):
        run_notebook("twice", A_SESSION)


def test_a_notebook_imports_our_dlt_and_the_package(notebooks: Path) -> None:
    (notebooks / "imports.py").write_text(f"{HEADER}import dlt, pipelines\ndbutils.notebook.exit(dlt.__file__)\n")
    told = run_notebook("imports", A_SESSION)
    assert told is not None
    assert told.endswith("local/notebook_path/dlt.py")


def test_an_error_in_a_notebook_names_its_file_and_line(notebooks: Path) -> None:
    (notebooks / "broken.py").write_text(f"{HEADER}\n1 / 0\n")
    with pytest.raises(ZeroDivisionError) as error:
        run_notebook("broken", A_SESSION)
    where = traceback.extract_tb(error.value.__traceback__)[-1]
    assert (where.filename, where.lineno) == (str(notebooks / "broken.py"), 3)


def test_a_python_file_that_is_no_notebook_is_refused_before_it_runs(notebooks: Path) -> None:
    (notebooks / "script.py").write_text("raise AssertionError\n")
    with pytest.raises(SettingsError) as error:
        run_notebook("script", A_SESSION)
    assert str(error.value) == (
        "script.py is no Databricks notebook: its first line must be '# Databricks notebook source'"
    )


@pytest.mark.parametrize("name", BUNDLED)
def test_the_bundles_notebooks_have_the_header_that_databricks_asks_for(name: str) -> None:
    assert (notebook.NOTEBOOKS / f"{name}.py").read_text(encoding="utf-8").startswith(HEADER)
