from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from pydoc_data.topics import topics
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local.loader import Mirrored, mirror
from pipelines.errors import SourceError
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from local.home import Home

_NUMBERS = count()


@pytest.fixture
def settings() -> Settings:
    """A source table of its own for each test."""
    return Settings(source_table=f"loader.source_{next(_NUMBERS)}")


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def rows(spark: SparkSession, settings: Settings) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, spark.table(settings.source_table).collect()), key=repr)


def changes(spark: SparkSession, settings: Settings, version: int) -> list[tuple[Any, Any]]:
    """What a reader of the change feed gets from `version` on: id and kind of change."""
    feed = spark.read.option("readChangeFeed", "true").option("startingVersion", version)
    feed = feed.table(settings.source_table)
    return sorted((tuple(row) for row in feed.select(settings.id_column, "_change_type").collect()), key=repr)


def n_commits(home: Home, settings: Settings) -> int:
    schema, _, table = settings.source_table.partition(".")
    return len(list((home.warehouse / f"{schema}.db" / table / "_delta_log").glob("*.json")))


@pytest.mark.long
def test_a_changed_folder_becomes_inserts_updates_and_deletes(
    spark: SparkSession, home: Home, settings: Settings, tmp_path: Path
) -> None:
    for name in ("same.txt", "edited.md", "removed.txt"):
        (tmp_path / name).write_text(f"{name}\0", encoding="utf-8")
    assert mirror(spark, tmp_path, settings) == Mirrored(3, 0, 0, 0)
    before = n_commits(home, settings)

    assert mirror(spark, tmp_path, settings) == Mirrored(0, 0, 0, 3)
    assert n_commits(home, settings) == before  # no commit: a reader of the feed has nothing to do

    (tmp_path / "edited.md").write_text("# Heading\ntext", encoding="utf-8")
    (tmp_path / "removed.txt").rename(tmp_path / "new.txt")
    assert mirror(spark, tmp_path, settings) == Mirrored(n_inserted=1, n_updated=1, n_deleted=1, n_unchanged=1)
    assert changes(spark, settings, before) == [
        ("edited.md", "update_postimage"),
        ("edited.md", "update_preimage"),
        ("new.txt", "insert"),
        ("removed.txt", "delete"),
    ]
    assert rows(spark, settings) == [
        ("edited.md", "# Heading\ntext", "Heading"),
        ("new.txt", "removed.txt\0", "removed.txt\0"),
        ("same.txt", "same.txt\0", "same.txt\0"),
    ]

    shutil.rmtree(tmp_path)
    with pytest.raises(SourceError, match=f"{tmp_path.name} does not exist: name such a file, a folder of"):
        mirror(spark, tmp_path, settings)
    assert n_commits(home, settings) == before + 1


@pytest.mark.long
def test_without_a_source_the_documentation_of_python_is_mirrored(spark: SparkSession) -> None:
    settings = Settings(source_table="spark_catalog.other_schema.source", id_column="topic", text_column="body")
    assert mirror(spark, None, settings).n_inserted == len(topics)
    assert spark.table(settings.source_table).columns == ["topic", "body", "title"]


@pytest.mark.long
def test_null_and_blank_values_are_values_and_rows_without_an_id_are_replaced_only_when_they_changed(
    spark: SparkSession, home: Home, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"

    def load(texts: dict[int, str | None], nameless: list[str | None]) -> Mirrored:
        named = [{"id": number, "text": text} for number, text in texts.items()]
        mirrored = mirror(spark, write_lines(path, [*named, *({"text": text} for text in nameless)]), settings)
        assert rows(spark, settings) == sorted([*texts.items(), *((None, text) for text in nameless)], key=repr)
        return mirrored

    assert load({1: "x", 2: None, 3: "", 4: "x", 5: None}, ["twin", "twin", None]) == Mirrored(8, 0, 0, 0)
    before = n_commits(home, settings)
    expected = Mirrored(n_inserted=1, n_updated=3, n_deleted=1, n_unchanged=4)
    assert load({6: "", 1: None, 2: "x", 3: None, 4: "x"}, [None, "twin", "twin"]) == expected
    assert [change for change in changes(spark, settings, before) if change[0] is None] == []
    expected = Mirrored(n_inserted=2, n_updated=0, n_deleted=3, n_unchanged=5)
    assert load({1: None, 2: "x", 3: None, 4: "x", 6: ""}, ["twin", None]) == expected


@pytest.mark.long
def test_columns_may_come_go_and_widen_and_a_stream_of_changes_reads_on(
    spark: SparkSession, home: Home, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"

    def read_on() -> Counter[str]:
        feed = spark.readStream.option("readChangeFeed", "true").table(settings.source_table).select("_change_type")
        writer = feed.writeStream.format("parquet").option("checkpointLocation", str(tmp_path / "checkpoint"))
        writer.trigger(availableNow=True).start(str(tmp_path / "changes")).awaitTermination(120)
        return Counter(pq.read_table(tmp_path / "changes")["_change_type"].to_pylist())

    write_lines(path, [{"id": "a", "text": "1", "gone": True, "size": 1.5, "empty": None}])
    mirror(spark, path, settings)
    assert spark.table(settings.source_table).columns == ["id", "text", "gone", "size"]
    assert read_on() == {"insert": 1}

    write_lines(path, [{"id": "a", "text": "1", "size": 2, "new name": 7}, {"id": 5, "text": None}])
    assert mirror(spark, path, settings) == Mirrored(1, 1, 0, 0)
    assert spark.table(settings.source_table).columns == ["id", "text", "gone", "size", "new_name"]
    assert rows(spark, settings) == [("5", None, None, None, None), ("a", "1", None, 2.0, 7)]
    assert read_on() == {"insert": 2, "update_preimage": 1, "update_postimage": 1}

    write_lines(path, [{"id": "a", "text": "1", "size": 2, "new name": 7, "empty": None}, {"id": 5, "text": None}])
    chosen = replace(settings, metadata_columns=("empty",))  # a column the pipeline will read must be there
    assert mirror(spark, path, chosen) == Mirrored(0, 0, 0, 2)
    assert spark.table(settings.source_table).columns[-1] == "empty"

    before = n_commits(home, settings)
    write_lines(path, [{"id": 5, "text": "x", "size": "big"}])
    with pytest.raises(SourceError, match=r"column size is string, but has been double in loader\.source"):
        mirror(spark, path, settings)
    assert n_commits(home, settings) == before


@pytest.mark.long
def test_a_delta_table_is_mirrored_with_its_types(spark: SparkSession, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "a table"
    schema = "id bigint, text string, on date, price decimal(9,2), tags array<string>, of struct<a:int,b:string>"
    source = [(1, "x", date(2020, 1, 2), Decimal("1.50"), ["a", None], (None, "b")), (2, None, None, None, None, None)]
    spark.createDataFrame(source, schema).write.format("delta").save(str(folder))
    assert mirror(spark, folder, settings) == Mirrored(2, 0, 0, 0)
    assert mirror(spark, folder, settings) == Mirrored(0, 0, 0, 2)
    assert rows(spark, settings) == sorted(source, key=repr)
    assert (
        spark.table(settings.source_table).schema.simpleString() == spark.read.load(str(folder)).schema.simpleString()
    )


def test_a_damaged_delta_table_is_refused_in_one_line(spark: SparkSession, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "_delta_log" / f"{0:020}.json").write_text("no json", encoding="utf-8")
    with pytest.raises(SourceError, match="cannot be mirrored into loader") as refused:
        mirror(spark, tmp_path, settings)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"id": ["a", "b", "a"], "text": ["1", "2", "1"]}, "id 'a' stands in 2 rows"),
        ({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())}, "holds no document"),
        ({"name": ["a"], "text": ["1"]}, r"no column id, it has name, text: .*\(STREAMING_EMBEDDINGS_ID_COLUMN\)"),
        ({"id": ["a"], "Text": ["1"]}, r"no column text, it has id, Text: .*\(STREAMING_EMBEDDINGS_TEXT_COLUMN\)"),
        ({"id": ["a"], "text": ["1"], "Id": ["b"]}, "columns id, Id are one to Spark"),
        ({"id": ["a"], "text": ["1"], "a b": [1], "a_b": [2]}, "columns a_b, a_b are one to Spark"),
        ({"id": ["a"], "text": ["1"], "n": pa.array([1], pa.uint64())}, "uint64"),
        (
            {"id": ["a"], "text": ["1"], "m": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64()))},
            "column m is map<string,bigint>, which Spark cannot compare",
        ),
    ],
)
def test_an_unusable_source_is_refused_before_any_table_is_made(
    spark: SparkSession, settings: Settings, tmp_path: Path, columns: dict[str, Any], reason: str
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=rf"a\.parquet.*{reason}") as refused:
        mirror(spark, tmp_path / "a.parquet", settings)
    assert "\n" not in str(refused.value)
    assert not spark.catalog.tableExists(settings.source_table)


def test_a_chosen_column_that_is_not_there_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"id": "a", "text": "1"}])
    settings = Settings(source_table="loader.none", metadata_columns=("lang",))
    with pytest.raises(SourceError, match=r"no column lang, .*\(STREAMING_EMBEDDINGS_METADATA_COLUMNS\)"):
        mirror(spark, path, settings)


def test_a_source_without_ids_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    settings = Settings(source_table="loader.none", id_column="", source_mode="appends")
    with pytest.raises(SourceError, match=r"without ids: .*\(STREAMING_EMBEDDINGS_ID_COLUMN\)"):
        mirror(spark, tmp_path / "a.csv", settings)


def test_an_unknown_ending_is_refused(spark: SparkSession, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.docx").touch()
    with pytest.raises(
        SourceError, match=r"a\.docx is no \.jsonl or \.csv or \.parquet file: name such a file, a folder"
    ):
        mirror(spark, tmp_path / "a.docx", settings)
