"""Settings: who wins, what is refused, and that the refusal says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.errors import SettingsError
from pipelines.settings import configured, load_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SOURCE = {"source_table": "docs.articles"}


def refusal(**texts: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(SOURCE | texts, environment={})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_job_parameter_beats_configuration_beats_environment_beats_default() -> None:
    environment = {f"STREAMING_EMBEDDINGS_{name}": "environment" for name in ("SCHEMA", "REGION", "CLOUD")}
    job, configuration = {"schema": "job"}, {"schema": "configuration", "region": "configuration"}
    settings = load_settings(SOURCE, job, configuration, environment=environment)
    assert (settings.schema, settings.region, settings.cloud) == ("job", "configuration", "environment")
    assert settings.catalog == "spark_catalog"


def test_other_environment_variables_do_not_count() -> None:
    assert load_settings(SOURCE, environment={"SCHEMA": "x", "streaming_embeddings_schema": "y"}) == load_settings(
        SOURCE, environment={}
    )


@pytest.mark.parametrize("empty", ["", "  "])
def test_empty_text_counts_as_not_set(empty: str) -> None:
    settings = load_settings(SOURCE, {"schema": empty, "dry_run": empty}, {"schema": "lower"}, environment={})
    assert (settings.schema, settings.dry_run) == ("lower", False)


def test_a_dash_sets_a_setting_to_nothing() -> None:
    below = {"model_path": "/model", "metadata_columns": "title", "id_column": "key"}
    texts = {"model_path": "-", "metadata_columns": "-", "id_column": "-", "source_mode": "appends"}
    settings = load_settings(SOURCE, texts, below, environment={})
    assert (settings.model_path, settings.metadata_columns, settings.id_column) == ("", (), "")


def test_texts_become_the_types_of_their_settings() -> None:
    texts = {"metadata_columns": " title, year ,", "source_epoch": "3", "max_delete_ratio": "1", "dry_run": "True"}
    settings = load_settings(SOURCE, texts, environment={})
    assert (settings.metadata_columns, settings.source_epoch) == (("title", "year"), 3)
    assert (settings.max_delete_ratio, settings.dry_run) == (1.0, True)
    assert isinstance(settings.max_delete_ratio, float)


def test_tables_are_named_in_full() -> None:
    settings = load_settings(SOURCE, {"catalog": "main", "schema": "dev_docs"}, environment={})
    assert settings.table("raw") == "`main`.`dev_docs`.`raw`"


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("source_table", "articles", "schema.table or catalog.schema.table"),
        ("source_table", "docs.articles; DROP TABLE x", "schema.table or catalog.schema.table"),
        ("schema", "my-schema", "letters, digits and _"),
        ("catalog", "a`b", "letters, digits and _"),
        ("id_column", "a b", "letters, digits and _"),
        ("id_column", "-", "a column name, for source_mode changes"),
        ("text_column", "1st", "letters, digits and _"),
        ("metadata_columns", "title,text", "any name but text, doc_id, source_id, ordinal"),
        ("metadata_columns", "title,year,title", "each column once"),
        ("source_mode", "stream", "changes or appends"),
        ("source_epoch", "-1", "0 to 2147483647"),
        ("source_epoch", "1.5", "a number (int)"),
        ("precision", "int8", "float32, bfloat16, float16"),
        ("index_name", "My_Index", "a-z, 0-9 and -, at most 45"),
        ("index_name", "x" * 46, "a-z, 0-9 and -, at most 45"),
        ("namespace", "naïve", "1 to 512 printable ASCII characters"),
        ("namespace", "n" * 513, "1 to 512 printable ASCII characters"),
        ("max_delete_ratio", "20%", "a number (float)"),
        ("max_delete_ratio", "1.01", "0 to 1"),
        ("max_delete_ratio", "nan", "0 to 1"),
        ("dry_run", "yes", "true or false"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, text: str, allowed: str) -> None:
    message = refusal(**{name: text})
    assert message.startswith(f"setting {name} is ")
    assert message.endswith(f"; allowed is {allowed}")


def test_a_wrong_value_is_quoted() -> None:
    assert "is 'stream';" in refusal(source_mode="stream")
    assert "is 'text';" in refusal(metadata_columns="title,text")


def test_an_unknown_name_gets_a_hint() -> None:
    assert refusal(id_colum="x") == "unknown setting id_colum; did you mean id_column?"
    assert "known are source_table, catalog" in refusal(zzz="x")
    with pytest.raises(SettingsError, match="unknown setting schemas; did you mean schema"):
        load_settings(SOURCE, environment={"STREAMING_EMBEDDINGS_SCHEMAS": "x"})


def test_a_missing_source_table_tells_all_three_places() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"source_table": ""}, environment={})
    for place in (
        "job parameter source_table",
        "streaming_embeddings.source_table",
        "STREAMING_EMBEDDINGS_SOURCE_TABLE",
    ):
        assert place in str(caught.value)


def test_settings_name_the_key_and_do_not_hold_it() -> None:
    shown = repr(load_settings(SOURCE, environment={"PINECONE_API_KEY": "pcsk_private"}))
    assert "secret_key='pinecone_api_key'" in shown
    assert "private" not in shown


def test_the_pipelines_configuration_is_read_by_prefix(spark: SparkSession) -> None:
    spark.conf.set("streaming_embeddings.text_column", "body")
    try:
        assert configured(spark.conf) == {"text_column": "body"}
    finally:
        spark.conf.unset("streaming_embeddings.text_column")
