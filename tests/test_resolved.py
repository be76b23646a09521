"""Every notebook runs with the settings that the bundle's files give it, resolved as its command line does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from local import REPOSITORY
from local.bundle.bundle import Bundle, resolved
from local.index_server import IndexServer
from local.job import Job
from local.notebook import run_notebook
from local.screen import Screen
from pipelines.settings import CONFIGURATION_PREFIX, load_settings
from tests.whole_world import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

TARGETS = ("dev", "staging", "prod")
# What a person fills in.
VARIABLES = {
    "catalog": "spark_catalog",
    "source_table": "spark_catalog.library.articles",
    "id_column": "key",
    "text_column": "body",
    "title_column": "title",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    with IndexServer(tmp_path_factory.mktemp("index"), api_key=KEY) as running:
        yield running


@pytest.fixture(scope="module", params=TARGETS)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return resolved(REPOSITORY, request.param, VARIABLES)


def of_job(bundle: Bundle, job: str, server: IndexServer, **more: str) -> dict[str, str]:
    """What a job's notebooks read, and where to find an index that is not Pinecone's."""
    return bundle.parameters(job) | {"pinecone_host": server.url} | more


def configuration(bundle: Bundle) -> dict[str, str]:
    """What the pipeline's notebooks read."""
    found = bundle.configuration("embeddings")
    return {name.removeprefix(CONFIGURATION_PREFIX): text for name, text in found.items()}


def test_prepare_pipeline_sync_reconcile_and_search_run_as_deployed(
    spark: SparkSession, server: IndexServer, tmp_path: Path
) -> None:
    bundle = resolved(REPOSITORY, "dev", VARIABLES)
    spark.sql("CREATE SCHEMA library")
    spark.sql(
        "CREATE TABLE library.articles (key BIGINT, body STRING, title STRING) "
        "TBLPROPERTIES (delta.enableChangeDataFeed = true)"
    )
    spark.sql(
        "INSERT INTO library.articles VALUES (1, 'Cats sleep. They hunt at dusk.', 'Cats'), (2, 'Ice melts.', 'Ice')"
    )
    sync = Job(spark, of_job(bundle, "sync", server), tmp_path, KEY)
    sync.prepare()
    Job(spark, configuration(bundle), tmp_path, KEY).update(Screen())
    report = sync.sync(lambda _line: None)
    assert (report.outcome, report.n_upserted, report.namespace) == ("succeeded", 3, "dev-someone")
    lines: list[str] = []
    Job(spark, of_job(bundle, "reconcile", server), tmp_path, KEY).reconcile(lines.append)  # raises where they differ
    asked = of_job(bundle, "search", server, question="When do cats hunt?", top_k="1")
    said = run_notebook("search", cast("SparkSession", None), asked, {asked["secret_key"]: KEY})
    assert said is not None
    assert [line.strip() for line in said.splitlines()[1:]] == ["Cats sleep.", "> They hunt at dusk."]
    assert "1 (title Cats), sentence 2" in said
    assert spark.table("dev_someone_streaming_embeddings.embeddings").count() == 3


def test_every_target_gives_each_notebook_settings_that_load(bundle: Bundle) -> None:
    jobs: dict[str, Any] = {job: bundle.parameters(job) for job in ("sync", "reconcile")}
    loaded = {job: load_settings(parameters, environment={}) for job, parameters in jobs.items()}
    assert loaded["sync"] == loaded["reconcile"]
    assert loaded["sync"].metadata_columns == ("title",)
    pipeline = load_settings(configuration(bundle), environment={})
    told = configuration(bundle).keys()
    assert {name: getattr(pipeline, name) for name in told} == {name: getattr(loaded["sync"], name) for name in told}
