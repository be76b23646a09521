"""The model runs once for a text; whatever happens to the table of kept vectors costs time alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local.session import N_CORES
from pipelines import commit, embedding_cache
from pipelines.embedding_cache import kept_vectors
from pipelines.ids import content_hash
from pipelines.settings import Settings
from pipelines.state_tables import EMBEDDING_CACHE
from pipelines.tables import EMBEDDINGS
from pipelines.to_embeddings import to_embeddings
from tests.pipelines.stage import Stage, sentences

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.long
TEXTS = ["One.", "Two.", "One.", "Three.", "One."]


@pytest.fixture
def stage(spark: SparkSession, request: pytest.FixtureRequest) -> Stage:
    schema = f"cache_{request.node.name[5:45].strip('_')}"
    settings = Settings(source_table="a.b", schema=schema)
    spark.sql(f"CREATE SCHEMA {schema}")
    for table in (EMBEDDINGS, EMBEDDING_CACHE):
        spark.sql(table.creation(settings.table(table.name)))
    return Stage(spark, settings)


def test_a_text_goes_through_the_model_once_and_then_never_again(stage: Stage) -> None:
    first = stage.embed([*TEXTS, None])
    assert sorted(json.loads(row.metadata)["text"] for row in first if row.embedded) == ["One.", "Three.", "Two."]
    assert [row.model is None for row in first] == [False] * 5 + [True]
    stage.run([*TEXTS, None])
    assert stage.n_kept() == 3
    again = stage.embed([*TEXTS, None])
    assert not any(row.embedded for row in again)
    assert [row.vector for row in again] == [row.vector for row in first]  # to the last bit
    assert stage.n_model_calls([*TEXTS, "Four."]) == 1


def test_one_edited_sentence_of_many_is_one_model_call(stage: Stage) -> None:
    document: list[str | None] = [f"Sentence number {i}." for i in range(500)]
    stage.run(document)
    assert stage.n_model_calls([*document[:250], "An edited sentence.", *document[251:]]) == 1


def test_a_text_in_every_document_is_one_call_a_worker_however_many_tasks_there_are(stage: Stage) -> None:
    many = sentences(stage.spark, ["All rights reserved."] * 10_000).repartition(8)
    for kept in (None, kept_vectors(stage.spark, stage.settings)):
        embedded = to_embeddings(many, kept, stage.settings).where("embedded")
        assert 1 <= embedded.count() <= N_CORES


BREAKS = {  # what happens to the table, and how many of three texts are lost by it
    "missing": ("DROP TABLE {cache}", 3),
    "emptied": ("DELETE FROM {cache}", 3),
    "doubled": ("INSERT INTO {cache} SELECT * FROM {cache}", 0),
}
BROKEN = {  # as SQL
    "of_another_dimension": "substring(vector, 1, 4)",
    "null": "NULL",
    "not_finite": "unhex(repeat('0000C07F', 384))",
    "huge": "unhex(repeat('FFFF7F7F', 384))",
    "of_another_length": "unhex(repeat('0000803F', 384))",
    "zero": "unhex(repeat('00000000', 384))",
}


def test_a_broken_table_costs_as_many_calls_as_rows_and_is_whole_again(stage: Stage) -> None:
    stage.run(list(TEXTS))
    for name, (statement, n_lost) in BREAKS.items():
        stage.spark.sql(statement.format(cache=stage.cache))
        assert stage.n_model_calls(list(TEXTS)) == n_lost, name
        stage.run(list(TEXTS))
        if name == "missing":
            stage.spark.sql(EMBEDDING_CACHE.creation(stage.cache))  # as `prepare` does
            stage.keep()
        assert stage.n_model_calls(list(TEXTS)) == 0, name


def test_a_broken_row_costs_one_call_and_is_whole_again(stage: Stage) -> None:
    texts: list[str | None] = [*BROKEN, "sound"]
    stage.run(texts)
    before = [row.vector for row in stage.embed(texts)]
    cases = " ".join(f"WHEN text_hash = '{content_hash(name)}' THEN {broken}" for name, broken in BROKEN.items())
    stage.spark.sql(f"UPDATE {stage.cache} SET vector = CASE {cases} ELSE vector END")
    assert stage.n_model_calls(texts) == len(BROKEN)
    stage.run(texts)
    after = stage.embed(texts)
    assert not any(row.embedded for row in after)
    assert [row.vector for row in after] == before


def test_an_emptied_table_fills_again_from_the_log(stage: Stage) -> None:
    stage.run(list(TEXTS))
    stage.spark.sql(f"DELETE FROM {stage.cache}")
    stage.keep()
    assert stage.n_kept() == 3
    assert stage.n_model_calls(list(TEXTS)) == 0


def test_where_the_changes_cannot_be_read_the_log_is(stage: Stage) -> None:
    stage.run(["One."])
    table = stage.settings.table(EMBEDDINGS.name)
    for value in ("false", "true"):  # no feed of what comes between
        stage.spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES (delta.enableChangeDataFeed = {value})")
        if value == "false":
            stage.spark.sql(f"INSERT INTO {table} SELECT * FROM {table}")
    stage.run(["One.", "Two."])
    assert stage.n_kept() == 2
    assert stage.n_model_calls(["One.", "Two."]) == 0


def test_a_refresh_adds_nothing_and_a_log_made_again_is_read_again(stage: Stage) -> None:
    stage.run(list(TEXTS))
    log = stage.settings.table(EMBEDDINGS.name)
    stage.spark.sql(f"DELETE FROM {log}")
    stage.run(list(TEXTS))
    assert stage.n_kept() == 3  # what the refresh took away, too, had been through the model
    stage.spark.sql(f"UPDATE {stage.cache} SET vector = unhex(repeat('0000C07F', 384))")
    stage.spark.sql(f"DROP TABLE {log}")
    stage.spark.sql(EMBEDDINGS.creation(log))  # its versions begin again
    stage.run(list(TEXTS))
    assert stage.n_model_calls(list(TEXTS)) == 0


def test_where_nothing_is_new_for_long_the_table_says_so_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.run(list(TEXTS))
    n_kept = stage.n_kept()
    for _ in range(2):
        stage.run(["One."])
    assert stage.n_kept() == n_kept
    monkeypatch.setattr(embedding_cache, "FAR", 2)
    stage.run(["One."])
    stage.keep()
    assert stage.n_kept() == n_kept + 1
    assert stage.n_model_calls(list(TEXTS)) == 0


def test_what_cannot_be_kept_is_advice(stage: Stage) -> None:
    stage.run(["One."])
    stage.spark.sql(f"ALTER TABLE {stage.cache} ADD CONSTRAINT never CHECK (text_hash = '{content_hash('One.')}')")
    assert stage.run(["Two."]) == ["the vectors of this run were not kept"]
    assert stage.n_model_calls(["One.", "Two."]) == 1


def test_precisions_keep_apart_and_others_go_when_told_to(stage: Stage) -> None:
    stage.run(list(TEXTS))
    assert stage.n_model_calls(list(TEXTS), precision="bfloat16") == 3
    stage.run(list(TEXTS), precision="bfloat16")
    assert stage.n_kept() == 6
    assert stage.n_model_calls(list(TEXTS)) == stage.n_model_calls(list(TEXTS), precision="bfloat16") == 0
    stage.keep(precision="bfloat16", dry_run=True)
    assert stage.n_kept() == 6
    stage.keep(precision="bfloat16", drop_other_models=True)
    assert stage.n_kept() == 3
    assert stage.n_model_calls(list(TEXTS)) == 3


def test_many_files_are_gathered(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.run(["One."])
    monkeypatch.setattr(commit, "MANY_FILES", 1)
    stage.run(["Two."])
    assert stage.spark.sql(f"DESCRIBE DETAIL {stage.cache}").collect()[0].numFiles == 1
    assert stage.n_model_calls(["One.", "Two."]) == 0
