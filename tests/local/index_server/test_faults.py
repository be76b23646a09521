"""Faults on demand, as the official client meets them and gets over them."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from pinecone._internal.http_client import get_budget_registry
from pinecone.errors import ApiError, PayloadTooLargeError, PineconeError

from local.index_server import Fault
from pipelines.errors import StreamingEmbeddingsError
from tests.local.index_server.conftest import KEY

if TYPE_CHECKING:
    from pinecone import Index, Pinecone

    from local.index_server import IndexServer

VECTOR = ("r", [1.0, 0.0, 0.0])


N_TRIES = 4  # the client's


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note how long the client would wait between its tries, and let it not wait.

    It also forgets what failed before: after many failures of one host, as all tests' servers are, it tries once.
    """
    get_budget_registry()._reset()
    noted: list[float] = []
    monkeypatch.setattr("pinecone._internal.http_client._retry_sleep", noted.append)
    return noted


def ids(index: Index) -> list[str | None]:
    return [item.id for page in index.list() for item in page.vectors]


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_the_client_gets_over_what_is_worth_repeating(server: IndexServer, index: Index, status: int) -> None:
    server.set_faults(Fault("upsert", status=status, n_times=2))
    index.upsert(vectors=[VECTOR])
    assert server.request_counts()["upsert"] == 3
    assert ids(index) == ["r"]


def test_retry_after_is_heeded(server: IndexServer, index: Index, waits: list[float]) -> None:
    server.set_faults(Fault("upsert", status=429, retry_after_s=17))
    index.upsert(vectors=[VECTOR])
    assert waits[0] >= 17
    assert ids(index) == ["r"]


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("fault", [Fault(status=500), Fault(end="reset")])
def test_a_failed_write_was_done_or_not(server: IndexServer, index: Index, fault: Fault, applied: bool) -> None:
    server.set_faults(Fault("upsert", status=fault.status, end=fault.end, applied=applied, n_times=N_TRIES))
    with pytest.raises(PineconeError):
        index.upsert(vectors=[VECTOR])
    assert ids(index) == (["r"] if applied else [])


def test_half_an_answer_is_an_error_of_a_write_that_was_done(server: IndexServer, index: Index) -> None:
    server.set_faults(Fault("upsert", end="half", n_times=N_TRIES))
    with pytest.raises(PineconeError):
        index.upsert(vectors=[VECTOR])
    assert ids(index) == ["r"]


def test_413_has_the_services_envelope(server: IndexServer, index: Index) -> None:
    server.set_faults(Fault("upsert", status=413))
    with pytest.raises(PayloadTooLargeError) as caught:
        index.upsert(vectors=[VECTOR])
    assert caught.value.body == {"code": 11, "message": "a fault that was asked for", "details": []}


def test_a_fault_of_the_control_plane_has_the_other_envelope(server: IndexServer, pinecone: Pinecone) -> None:
    # For ever: how often the client tries depends on what failed before at this address, by whichever test.
    server.set_faults(Fault("list_indexes", status=503, n_times=None))
    with pytest.raises(ApiError) as caught:
        pinecone.list_indexes()
    assert caught.value.body == {
        "error": {"code": "UNAVAILABLE", "message": "a fault that was asked for"},
        "status": 503,
    }
    server.set_faults()
    assert list(pinecone.list_indexes()) == []


def test_a_slow_answer_takes_its_time_and_latency_adds_to_every_request(server: IndexServer, index: Index) -> None:
    server.set_faults(Fault(delay_s=0.05, n_times=None), Fault("fetch", delay_s=0.2))
    took = []
    for _ in range(2):
        started = time.monotonic()
        index.fetch(ids=["r"])
        took.append(time.monotonic() - started)
    assert took[0] >= 0.25
    assert 0.05 <= took[1] < took[0]


def test_a_client_that_waits_no_longer_gives_up(server: IndexServer, index: Index) -> None:
    server.set_faults(Fault("fetch", delay_s=5, n_times=None))
    with pytest.raises(PineconeError):
        index.fetch(ids=["r"], timeout=0.2)


def test_a_delay_does_not_outlive_the_server(server: IndexServer, index: Index) -> None:
    server.set_faults(Fault("fetch", delay_s=300, n_times=None))
    with pytest.raises(PineconeError):
        index.fetch(ids=["r"], timeout=0.1)
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 5


def test_faults_meet_their_own_operation_in_order_as_often_as_asked(server: IndexServer, index: Index) -> None:
    server.set_faults(
        Fault("upsert", status=413, n_before=1, n_times=2),
        Fault("upsert", status=400, n_before=1),
        Fault("query", status=500),
    )
    seen = []
    for _ in range(5):
        try:
            index.upsert(vectors=[VECTOR])
            seen.append(200)
        except ApiError as error:
            seen.append(error.status_code)
    assert seen == [200, 413, 413, 400, 200]
    assert index.fetch(ids=["r"]).vectors.keys() == {"r"}
    server.set_faults()
    assert [match.id for match in index.query(vector=VECTOR[1], top_k=1).matches] == ["r"]


class Owner:
    """Whoever holds the key, without a client."""

    def __init__(self, server: IndexServer) -> None:
        self._port = server.port

    def ask(self, method: str, path: str, body: object = None, key: str = KEY) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Api-Key": key})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


def test_counts_faults_and_visibility_can_be_had_over_http_with_the_key(server: IndexServer, index: Index) -> None:
    owner = Owner(server)
    asked = {"operation": "upsert", "status": 413, "n_times": None, "retry_after_s": 0}
    status, answer = owner.ask("PUT", "/faults", {"faults": [asked]})
    assert (status, len(answer["faults"])) == (200, 1)
    assert answer["faults"][0].items() >= asked.items()
    for _ in range(2):
        with pytest.raises(ApiError, match="asked for"):
            index.upsert(vectors=[VECTOR])
    assert owner.ask("GET", "/faults")[1] == answer
    for path, body in (("/faults", {}), ("/faults", {"fault": []}), ("/visibility", {"delay": 2}), ("/visibility", {})):
        assert owner.ask("PUT", path, body)[0] == 400  # a slip must not put things back in silence
    assert owner.ask("GET", "/faults")[1] == answer
    assert owner.ask("PUT", "/faults", {"faults": []}) == (200, {"faults": []})
    assert owner.ask("PUT", "/visibility", {"delay_s": 300}) == (200, {"delay_s": 300.0})
    index.upsert(vectors=[VECTOR])
    assert index.fetch(ids=["r"]).vectors == {}
    assert owner.ask("GET", "/visibility") == (200, {"delay_s": 300.0})
    assert owner.ask("GET", "/request_counts")[1].items() >= {"upsert": 3, "fetch": 1}.items()
    assert owner.ask("PUT", "/faults", {"faults": []}, key="wrong")[0] == 401


@pytest.mark.parametrize(
    "fault",
    [
        {"operation": 7},
        {"operation": "upsrt"},
        {"status": []},
        {"retry_after_s": 1},
        {"state": 500},
        {"status": 418},
        {"status": True},
        {"end": "slow"},
        {"delay_s": -1},
        {"delay_s": "1"},
        {"delay_s": True},
        {"n_times": 0},
        {"n_before": -1},
        {"retry_after_s": 0.5},
        {"applied": 1},
        "all",
    ],
)
def test_a_fault_that_is_none_is_refused_and_changes_nothing(server: IndexServer, fault: object) -> None:
    owner = Owner(server)
    owner.ask("PUT", "/faults", {"faults": [{"status": 500}]})
    assert owner.ask("PUT", "/faults", {"faults": [{}, fault]})[0] == 400
    assert len(owner.ask("GET", "/faults")[1]["faults"]) == 1
    assert owner.ask("PUT", "/visibility", {"delay_s": 601})[0] == 400
    assert owner.ask("PUT", "/faults", {"faults": [{"delay_s": None, "n_before": None}]})[0] == 200


@pytest.mark.parametrize("wrong", [{"n_times": 0}, {"status": 418}, {"operation": "upsrt"}, {"delay_s": float("nan")}])
def test_a_fault_that_could_never_happen_is_refused_in_process_too(server: IndexServer, wrong: dict[str, Any]) -> None:
    with pytest.raises(StreamingEmbeddingsError, match=f"^{next(iter(wrong))} of a fault is .*; allowed is "):
        Fault(**wrong)
    for delay_s in (-5, float("nan")):
        with pytest.raises(StreamingEmbeddingsError, match=r"^delay_s must be a number from 0 to 600"):
            server.set_visibility_delay(delay_s)
