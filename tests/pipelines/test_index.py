"""One namespace through the official SDK, against a server that keeps Pinecone's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from time import sleep
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pinecone import ServerlessSpec

from local.index_server.faults import Fault
from pipelines.errors import VectorIndexError
from pipelines.index import VectorIndex
from pipelines.reader import Reader
from pipelines.record import MAX_RECORDS, Record
from tests.pipelines.conftest import N_DIMENSIONS
from tests.pipelines.scene import KEY

if TYPE_CHECKING:
    from pinecone import Pinecone

    from local.index_server import IndexServer
    from pipelines.settings import Settings

SPEC = ServerlessSpec(cloud="aws", region="us-east-1")


def record(number: int, values: object = (1.0, 0.0, 0.0), **metadata: Any) -> Record:
    text = json.dumps(metadata, ensure_ascii=False)
    return Record(f"id{number}", np.asarray(values, dtype=np.float32), text)


def test_it_is_created_once_and_then_only_described(index: VectorIndex, reader: Reader, server: IndexServer) -> None:
    index.ensure(N_DIMENSIONS)
    assert server.request_counts() == {"describe_index": 4, "create_index": 1}  # one is the SDK's, until it is ready
    assert (index.n_checks, index.n_requests) == (4, 0)
    reader.n_records()  # its address was told
    assert server.request_counts()["describe_index"] == 4


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


def test_records_come_back_from_their_own_namespace_only(
    index: VectorIndex, reader: Reader, settings: Settings
) -> None:
    index.upsert([record(1, text="one"), record(2, (0.0, 1.0, 0.0), text="two")])
    assert reader.n_records() == 2
    found = reader.fetch(["id1", "id2", "id3"])
    assert {name: record.metadata for name, record in found.items()} == {"id1": {"text": "one"}, "id2": {"text": "two"}}
    assert [(match.id, match.metadata) for match in reader.query(np.array([0, 1, 0]), 1)] == [("id2", {"text": "two"})]
    with VectorIndex(replace(settings, namespace="another"), KEY) as other:
        other.delete(["id1"])  # a namespace that was never written to
        assert Reader(other, "another").n_records() == 0
    index.delete(["id1", "id9"])
    assert list(reader.fetch(["id1", "id2"])) == ["id2"]


def test_each_request_is_counted_and_nothing_to_do_makes_none(
    index: VectorIndex, reader: Reader, server: IndexServer
) -> None:
    index.upsert([])
    index.delete([])
    assert index.n_requests == 0
    index.upsert([record(i) for i in range(MAX_RECORDS + 1)])
    index.delete([f"id{i}" for i in range(2 * MAX_RECORDS + 1)])
    counts = server.request_counts()
    assert (counts["upsert"], counts["delete"]) == (2, 3)
    assert index.n_requests == 5
    assert reader.n_records() == 0


def test_full_batches_of_any_script_are_within_what_the_service_takes(
    index: VectorIndex, reader: Reader, server: IndexServer
) -> None:
    texts = ("é" * 1900, "文" * 1900, '"\\\n' * 900, "\U0001f600" * 900)
    index.upsert([record(i, (-1.1754944e-38, 1.0, 0.1), text=texts[i % 4]) for i in range(MAX_RECORDS)])
    assert reader.n_records() == MAX_RECORDS
    assert server.request_counts()["upsert"] == index.n_requests > 1


def test_vectors_arrive_bit_for_bit(index: VectorIndex, pinecone: Pinecone, settings: Settings) -> None:
    drawn = np.random.default_rng(7).standard_normal((200, N_DIMENSIONS)).astype(np.float32)
    drawn[0] = (np.float32(1e-45), np.finfo(np.float32).max, -0.0)
    index.upsert([record(i, values) for i, values in enumerate(drawn)])
    with pinecone.Index("docs") as reader:
        found = reader.fetch(ids=[f"id{i}" for i in range(len(drawn))], namespace=settings.namespace).vectors
    arrived = np.asarray([found[f"id{i}"].values for i in range(len(drawn))], dtype=np.float32)
    assert arrived.tobytes() == drawn.tobytes()


def test_what_the_index_refuses_is_told_record_by_record_and_all_others_are_in(
    index: VectorIndex, reader: Reader, server: IndexServer
) -> None:
    records = [record(number) for number in range(20)]
    records[3] = record(3, (1.0, 0.0))  # of another dimension
    records[17] = record(17, tags=[1, 2])  # the SDK looks at this before it sends anything
    never_sent = [record(20, (0.0, 0.0, 0.0)), record(21, (float("nan"), 0.0, 0.0)), record(22, text="x" * 41_000)]
    refused = {letter.record_id: letter for letter in index.upsert([*records, *never_sent])}
    assert {name: letter.status for name, letter in refused.items()} == {
        "id3": 400,
        "id17": None,
        "id20": None,
        "id21": None,
        "id22": None,
    }
    assert refused["id3"].reason.startswith("upsert failed with status 400, ")
    assert "tags" in refused["id17"].reason
    assert refused["id20"].reason == "its vector is all zero"
    assert reader.fetch([f"id{number}" for number in range(23)]).keys() == {
        f"id{number}" for number in range(20) if number not in (3, 17)
    }
    assert server.request_counts()["upsert"] < 20


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="upsert", status=429, retry_after_s=0, n_times=9),
        Fault(operation="upsert", status=500, n_times=9, applied=True),
        Fault(operation="upsert", status=503, n_times=9),
        Fault(operation="upsert", end="reset", n_times=9, applied=True),
        Fault(operation="upsert", end="half", n_times=9),
        Fault(operation="delete", status=500, n_times=9, applied=True),
        Fault(operation="fetch", status=503, n_times=9),
        Fault(operation="list", end="reset", n_times=9),
    ],
    ids=lambda fault: f"{fault.operation} {fault.status or fault.end}",
)
def test_what_passes_is_sent_again_until_it_is_taken(
    index: VectorIndex, reader: Reader, server: IndexServer, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pinecone._internal.http_client._retry_sleep", lambda _s: None)
    monkeypatch.setattr("pipelines.sender._FIRST_WAIT_S", 0.01)
    server.set_faults(fault)
    assert index.upsert([record(number) for number in range(3)]) == []
    index.delete(["id0"])
    assert reader.fetch(["id0", "id1", "id2"]).keys() == {"id1", "id2"}
    assert list(reader.list_ids()) == ["id1", "id2"]
    assert index.n_retries > 0


def test_who_leaves_with_an_error_waits_for_no_request_that_is_to_be_sent_again(
    settings: Settings, server: IndexServer, index: VectorIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pinecone._internal.http_client._retry_sleep", lambda _s: None)
    monkeypatch.setattr("pipelines.sender._FIRST_WAIT_S", 250.0)
    index.upsert([record(0)])
    server.set_faults(Fault(operation="upsert", status=503, n_times=None))
    left = VectorIndex(settings, KEY)
    sent = left.sending.submit(left.upsert, [record(1)])

    def leave() -> None:
        with left:
            while not left.n_retries:
                sleep(0.001)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert isinstance(sent.exception(), KeyboardInterrupt)
    assert left.n_requests == 1


def test_a_request_that_is_too_large_is_halved(index: VectorIndex, reader: Reader, server: IndexServer) -> None:
    server.set_faults(Fault(operation="upsert", status=413, n_times=2))
    assert index.upsert([record(number) for number in range(4)]) == []
    assert reader.n_records() == 4
    assert server.request_counts()["upsert"] == 5  # 4, 2, 1, 1, 2


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_concerns_every_request_stops_at_once(index: VectorIndex, server: IndexServer, status: int) -> None:
    server.set_faults(Fault(operation="upsert", status=status, n_times=None))
    with pytest.raises(VectorIndexError, match=f"^upsert failed with status {status}, .*: [a-z]"):
        index.upsert([record(1)])
    assert index.n_requests == 1


def test_a_wrong_key_is_named_as_the_cause_and_never_shown(settings: Settings, server: IndexServer) -> None:
    with VectorIndex(settings, "not-" + KEY) as index:
        with pytest.raises(VectorIndexError) as caught:
            index.ensure(N_DIMENSIONS)
        assert str(caught.value).endswith(": check the Pinecone key")
        for shown in (repr(index), str(caught.value), repr(caught.value.__cause__), repr(vars(index))):
            assert KEY not in shown
    assert server.request_counts() == {"describe_index": 1}


def test_a_server_that_is_gone_is_one_line(reader: Reader, server: IndexServer) -> None:
    server.stop()
    with pytest.raises(VectorIndexError) as caught:
        reader.n_records()
    assert str(caught.value).startswith("statistics failed: ")
    assert "\n" not in str(caught.value)
