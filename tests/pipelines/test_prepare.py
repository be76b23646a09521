"""What `prepare` finds, makes and refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pinecone import ServerlessSpec

from pipelines.errors import SourceError, SyncRefused, VectorIndexError
from pipelines.form import LastRun
from pipelines.prepare import Prepared, _check_epoch
from pipelines.settings import Settings
from pipelines.weights import DEFAULT_DIMENSION
from tests.pipelines.scene import Version, desired, vector

if TYPE_CHECKING:
    from tests.pipelines.scene import Scene

TEXT = Version("p", 1, ("One.", "Two."))


@pytest.mark.long
def test_it_makes_what_is_missing_once_and_notices_an_emptied_namespace(scene: Scene) -> None:
    first = scene.prepare()
    assert (first.dimension, first.n_records) == (DEFAULT_DIMENSION, 0)
    assert json.loads(first.as_json()) == {"dimension": 384, "n_records": 0, "n_checks": first.n_checks}
    assert {row.tableName for row in scene.spark.sql(f"SHOW TABLES IN {scene.settings.schema}").collect()} == {
        "articles",
        "dead_letter",
        "embedding_cache",
        "embeddings",
        "forgotten",
        "index_state",
        "lease",
        "sync_runs",
    }
    scene.log(TEXT)
    scene.sync()
    state = scene.state()
    assert scene.prepare() == Prepared(DEFAULT_DIMENSION, n_records=2, n_checks=2)
    assert scene.state() == state
    assert scene.server.request_counts()["create_index"] == 1

    with scene.pinecone.Index("docs") as index:
        index.delete(delete_all=True, namespace=scene.settings.namespace)
    assert scene.prepare().n_records == 0
    assert scene.state()["p"].payload_hashes == [None, None]
    assert scene.sync().n_upserted == 2
    assert scene.contents() == desired(TEXT)


def run(source_table_id: str, source_epoch: int) -> LastRun:
    return LastRun(
        "succeeded", "id", 1, source_table_id, 1, source_epoch, "r", 0, n_pending=0, n_tied=0, whole_age_s=None
    )


def test_versions_that_start_anew_need_a_higher_epoch_for_good() -> None:
    settings = Settings(source_table="a.b", source_epoch=1)
    for last in (None, run("one", 1), run("one", 0), run("another", 0)):
        _check_epoch(settings, "one", last)
    with pytest.raises(
        SourceError, match=r"^source table a\.b was dropped and made again .* set source_epoch to 2, for"
    ):
        _check_epoch(settings, "one", run("another", 1))
    for table_id in ("one", "another"):
        with pytest.raises(
            SourceError, match=r"^source_epoch is 1 and was 3 in the last sync, .* set it to 3 or more$"
        ):
            _check_epoch(settings, table_id, run("one", 3))


@pytest.mark.long
def test_it_refuses_an_index_or_a_namespace_that_is_not_ours(scene: Scene) -> None:
    spec = ServerlessSpec(cloud="aws", region="us-east-1")
    scene.pinecone.create_index(name="narrow", dimension=3, metric="cosine", spec=spec)
    with pytest.raises(VectorIndexError, match=r"^index narrow has dimension 3, the model 384: choose another index_n"):
        scene.prepare(index_name="narrow")

    scene.pinecone.create_index(name="docs", dimension=DEFAULT_DIMENSION, metric="cosine", spec=spec)
    with scene.pinecone.Index("docs") as index:
        index.upsert(vectors=[{"id": "theirs", "values": vector("x").tolist()}], namespace="taken")
    with pytest.raises(SyncRefused) as caught:
        scene.prepare(namespace="taken")
    assert str(caught.value) == (
        "namespace taken of index docs holds 1 records of which this pipeline's state knows nothing: "
        "choose an empty namespace, or, if the records are this pipeline's and the state was lost, "
        "run once with adopt=true"
    )
    assert scene.prepare(namespace="free").n_records == 0


def test_a_source_that_cannot_be_read_is_refused_before_anything_is_made(scene: Scene) -> None:
    with pytest.raises(SourceError, match=r"^source table nowhere\.to_be_found does not exist"):
        scene.prepare(source_table="nowhere.to_be_found")
    plain = f"{scene.settings.schema}.plain"
    scene.spark.sql(f"CREATE TABLE {plain} (id STRING, text STRING) USING delta")
    with pytest.raises(SourceError, match=r"has no change feed: run ALTER TABLE"):
        scene.prepare(source_table=plain)
    assert not scene.spark.catalog.tableExists(scene.settings.table("index_state"))
    assert scene.server.request_counts() == {}
    scene.prepare(source_table=plain, source_mode="appends")
