"""One namespace through the official SDK, against a server that keeps Pinecone's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pinecone import ServerlessSpec

from pipelines.errors import VectorIndexError
from pipelines.index import VectorIndex
from pipelines.record import MAX_RECORDS, Record
from pipelines.settings import Settings
from tests.pipelines.scene import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinecone import Pinecone

    from local.index_server import IndexServer

N_DIMENSIONS = 3
SPEC = ServerlessSpec(cloud="aws", region="us-east-1")
ODD = """it's a "name\\space" of {odd} ${characters}; -- `all` ASCII"""


def record(number: int, values: object = (1.0, 0.0, 0.0), **metadata: Any) -> Record:
    text = json.dumps(metadata, ensure_ascii=False)
    return Record(f"id{number}", np.asarray(values, dtype=np.float32), text, metadata)


@pytest.fixture
def settings(server: IndexServer) -> Settings:
    return Settings(source_table="a.b", index_name="docs", pinecone_host=server.url, namespace=ODD)


@pytest.fixture
def index(settings: Settings) -> Iterator[VectorIndex]:
    with VectorIndex(settings, KEY) as index:
        index.ensure(N_DIMENSIONS)
        yield index


def test_it_is_created_once_and_then_only_described(index: VectorIndex, server: IndexServer) -> None:
    index.ensure(N_DIMENSIONS)
    assert server.request_counts() == {"describe_index": 4, "create_index": 1}  # one is the SDK's, until it is ready
    assert (index.n_checks, index.n_requests) == (4, 0)
    index.n_records()  # its address was told
    assert server.request_counts()["describe_index"] == 4


def test_ids_are_fetched_in_parts_that_fit_an_address(index: VectorIndex, server: IndexServer) -> None:
    index.upsert([record(number) for number in range(3)])
    before = index.n_requests
    assert index.fetch([f"id{number:0200}" for number in range(1_500)] + ["id1"]) == {"id1": {}}
    assert index.n_requests - before == server.request_counts()["fetch"] == 16


def test_another_dimension_is_refused(index: VectorIndex) -> None:
    with pytest.raises(VectorIndexError) as caught:
        index.ensure(N_DIMENSIONS + 1)
    assert str(caught.value) == "index docs has dimension 3, the model 4: choose another index_name"


def test_another_metric_is_refused(pinecone: Pinecone, settings: Settings) -> None:
    for metric in ("euclidean", "dotproduct"):
        pinecone.create_index(name=metric, dimension=N_DIMENSIONS, metric=metric, spec=SPEC)
    with VectorIndex(replace(settings, index_name="dotproduct"), KEY) as other:
        other.ensure(N_DIMENSIONS)
    with (
        VectorIndex(replace(settings, index_name="euclidean"), KEY) as other,
        pytest.raises(VectorIndexError) as caught,
    ):
        other.ensure(N_DIMENSIONS)
    assert str(caught.value) == (
        "index euclidean has metric euclidean, allowed is cosine or dotproduct: choose another index_name"
    )


def test_records_come_back_from_their_own_namespace_only(index: VectorIndex, settings: Settings) -> None:
    index.upsert([record(1, text="one"), record(2, (0.0, 1.0, 0.0), text="two")])
    assert index.n_records() == 2
    assert index.fetch(["id1", "id2", "id3"]) == {"id1": {"text": "one"}, "id2": {"text": "two"}}
    assert [(match.id, match.metadata) for match in index.query(np.array([0, 1, 0]), 1)] == [("id2", {"text": "two"})]
    with VectorIndex(replace(settings, namespace="another"), KEY) as other:
        other.delete(["id1"])  # a namespace that was never written to
        assert other.n_records() == 0
    index.delete(["id1", "id9"])
    assert list(index.fetch(["id1", "id2"])) == ["id2"]


def test_each_request_is_counted_and_nothing_to_do_makes_none(index: VectorIndex, server: IndexServer) -> None:
    index.upsert([])
    index.delete([])
    assert index.n_requests == 0
    index.upsert([record(i) for i in range(MAX_RECORDS + 1)])
    index.delete([f"id{i}" for i in range(2 * MAX_RECORDS + 1)])
    counts = server.request_counts()
    assert (counts["upsert"], counts["delete"]) == (2, 3)
    assert index.n_requests == 5
    assert index.n_records() == 0


def test_full_batches_of_any_script_are_within_what_the_service_takes(index: VectorIndex, server: IndexServer) -> None:
    texts = ("é" * 1900, "文" * 1900, '"\\\n' * 900, "\U0001f600" * 900)
    index.upsert([record(i, (-1.1754944e-38, 1.0, 0.1), text=texts[i % 4]) for i in range(MAX_RECORDS)])
    assert index.n_records() == MAX_RECORDS
    assert server.request_counts()["upsert"] == index.n_requests > 1


def test_vectors_arrive_bit_for_bit(index: VectorIndex, pinecone: Pinecone, settings: Settings) -> None:
    drawn = np.random.default_rng(7).standard_normal((200, N_DIMENSIONS)).astype(np.float32)
    drawn[0] = (np.float32(1e-45), np.finfo(np.float32).max, -0.0)
    index.upsert([record(i, values) for i, values in enumerate(drawn)])
    with pinecone.Index("docs") as reader:
        found = reader.fetch(ids=[f"id{i}" for i in range(len(drawn))], namespace=settings.namespace).vectors
    arrived = np.asarray([found[f"id{i}"].values for i in range(len(drawn))], dtype=np.float32)
    assert arrived.tobytes() == drawn.tobytes()


def test_what_the_index_refuses_is_one_line(index: VectorIndex) -> None:
    with pytest.raises(VectorIndexError, match=r"^upsert failed with status 400, .*dimension.*$"):
        index.upsert([record(1, (1.0, 2.0))])


def test_a_wrong_key_is_named_as_the_cause_and_never_shown(settings: Settings, server: IndexServer) -> None:
    with VectorIndex(settings, "not-" + KEY) as index:
        with pytest.raises(VectorIndexError) as caught:
            index.ensure(N_DIMENSIONS)
        assert str(caught.value).endswith(": check the Pinecone key")
        for shown in (repr(index), str(caught.value), repr(caught.value.__cause__), repr(vars(index))):
            assert KEY not in shown
    assert server.request_counts() == {"describe_index": 1}


def test_a_server_that_is_gone_is_one_line(index: VectorIndex, server: IndexServer) -> None:
    server.stop()
    with pytest.raises(VectorIndexError) as caught:
        index.n_records()
    assert str(caught.value).startswith("statistics failed: ")
    assert "\n" not in str(caught.value)
