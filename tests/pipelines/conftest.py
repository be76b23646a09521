"""What tests of the sync share: an index server, and a scene around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pinecone import Pinecone

from local.index_server import IndexServer
from pipelines.index import VectorIndex
from pipelines.reader import Reader
from pipelines.settings import Settings
from pipelines.tables import EMBEDDINGS
from tests.pipelines.scene import KEY, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

N_DIMENSIONS = 3
ODD = """it's a "name\\space" of {odd} ${characters}; -- `all` ASCII"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[IndexServer]:
    with IndexServer(tmp_path / "index", api_key=KEY) as server:
        yield server


@pytest.fixture
def pinecone(server: IndexServer) -> Iterator[Pinecone]:
    # Over plain http the client's certificate store serves nothing, and loading it takes 100 ms.
    with Pinecone(api_key=KEY, host=server.url, ssl_verify=False) as pinecone:
        yield pinecone


@pytest.fixture
def settings(server: IndexServer) -> Settings:
    """Say where an index of three dimensions is."""
    return Settings(source_table="a.b", index_name="docs", pinecone_host=server.url, namespace=ODD)


@pytest.fixture
def index(settings: Settings) -> Iterator[VectorIndex]:
    with VectorIndex(settings, KEY) as index:
        index.ensure(N_DIMENSIONS)
        yield index


@pytest.fixture
def reader(index: VectorIndex, settings: Settings) -> Reader:
    return Reader(index, settings.namespace)


@pytest.fixture
def scene(spark: SparkSession, server: IndexServer, pinecone: Pinecone, tmp_path: Path, worker_id: str) -> Scene:
    # pytest names the folder after the test, with a number; each of its processes counts for itself.
    schema = f"{worker_id}_{tmp_path.name}".replace("-", "_")
    source = f"{schema}.articles"
    settings = Settings(source_table=source, schema=schema, index_name="docs", pinecone_host=server.url)
    spark.sql(f"CREATE SCHEMA {schema}")
    feed = "TBLPROPERTIES (delta.enableChangeDataFeed = true)"
    spark.sql(f"CREATE TABLE {source} (id STRING, text STRING) USING delta {feed}")
    spark.sql(EMBEDDINGS.creation(settings.table(EMBEDDINGS.name)))
    return Scene(spark, server, settings, pinecone)
