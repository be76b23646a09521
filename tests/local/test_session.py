"""Spark for one home: its tables, its class path, its silence."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from local.home import Home
from local.jvm import CONF_DIR
from local.session import _stderr_to, register_tables

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


@pytest.fixture
def other(tmp_path: Path) -> Home:
    """Give another home, in a folder whose name needs quoting."""
    return Home.at(tmp_path / "it's another home")


def write_table(spark: SparkSession, folder: Path, n_rows: int) -> None:
    spark.range(n_rows).write.format("delta").save(str(folder))


@pytest.mark.long
def test_every_delta_table_of_a_warehouse_is_there_by_its_name(spark: SparkSession, other: Home) -> None:
    write_table(spark, other.warehouse / "found_one.db" / "first", 1)
    write_table(spark, other.warehouse / "found_one.db" / "second", 2)
    write_table(spark, other.warehouse / "found_two.db" / "first", 3)
    register_tables(spark, other)
    counts = {name: spark.table(name).count() for name in ("found_one.first", "found_one.second", "found_two.first")}
    assert counts == {"found_one.first": 1, "found_one.second": 2, "found_two.first": 3}


def test_a_registered_table_can_be_written_to_where_it_lies(spark: SparkSession, other: Home) -> None:
    folder = other.warehouse / "written.db" / "rows"
    write_table(spark, folder, 1)
    register_tables(spark, other)
    spark.sql("INSERT INTO written.rows VALUES (7)")
    assert sorted(row.id for row in spark.read.format("delta").load(str(folder)).collect()) == [0, 7]


@pytest.mark.parametrize("left", ["_delta_log/.commit.tmp", "part-0.parquet"])
def test_a_folder_without_a_first_commit_goes_so_that_its_table_can_be_made(
    spark: SparkSession, other: Home, left: str
) -> None:
    killed = other.warehouse / "killed.db" / "articles"
    (killed / left).parent.mkdir(parents=True)
    (killed / left).touch()
    register_tables(spark, other)
    assert not killed.exists()
    assert not spark.catalog.tableExists("killed.articles")
    write_table(spark, killed, 1)


def test_a_file_that_a_desktop_left_in_the_warehouse_is_passed_over(spark: SparkSession, other: Home) -> None:
    write_table(spark, other.warehouse / "littered.db" / "rows", 1)
    for folder in (other.warehouse, other.warehouse / "littered.db"):
        (folder / ".DS_Store").touch()
    register_tables(spark, other)
    assert spark.table("littered.rows").count() == 1


def test_a_new_home_has_no_tables(other: Home) -> None:
    told: list[str] = []
    register_tables(cast("SparkSession", SimpleNamespace(sql=told.append)), other)
    assert told == []


def test_the_jvm_does_not_test_itself(spark: SparkSession) -> None:
    asked = spark.sql("SELECT java_method('java.lang.System', 'getenv', 'SPARK_TESTING') AS found")
    assert asked.collect()[0].found == "null"


def test_the_class_path_is_the_same_for_every_home_or_no_archive_would_fit(spark: SparkSession, home: Home) -> None:
    asked = spark.sql("SELECT java_method('java.lang.System', 'getProperty', 'java.class.path') AS found")
    class_path = asked.collect()[0].found.split(os.pathsep)
    assert any("delta-spark" in entry for entry in class_path)
    assert not [entry for entry in class_path if str(home.root) in entry]
    assert not list(CONF_DIR.glob("*"))  # an archive fits no folder with files


def test_what_a_home_keeps_of_spark_lies_in_it(spark: SparkSession, home: Home) -> None:
    assert str(spark.conf.get("spark.sql.warehouse.dir")).endswith(str(home.warehouse))
    assert {"spark-defaults.conf", "log4j2.properties", "start.log", "spark.log"} <= {
        file.name for file in home.spark.iterdir()
    }


def test_what_a_start_says_on_stderr_goes_to_a_file_and_only_that(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with _stderr_to(tmp_path / "log"):
        os.write(2, b"WARNING: incubator\n")
    os.write(2, b"ours\n")
    assert (tmp_path / "log").read_text() == "WARNING: incubator\n"
    assert capfd.readouterr().err == "ours\n"
