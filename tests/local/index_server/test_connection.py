"""The wire, below what the official client would ever send."""

from __future__ import annotations

import http.client
import json
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest
from pinecone import Index, Pinecone
from pinecone.errors import UnauthorizedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.index_server import IndexServer

# As in conftest.py, which a test module cannot import.
KEY = "a key of the tests"


class Client:
    """One kept connection."""

    def __init__(self, server: IndexServer) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)

    def ask(self, method: str, path: str, body: str | bytes = b"", **headers: str) -> tuple[int, Any]:
        names = {name.replace("_", "-"): value for name, value in {"Api_Key": KEY, **headers}.items()}
        self.connection.request(method, path, body, names)
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())


@pytest.fixture
def client(server: IndexServer) -> Iterator[Client]:
    client = Client(server)
    yield client
    client.connection.close()


def test_health_needs_no_key_and_tells_whose_the_server_is(client: Client) -> None:
    assert client.ask("GET", "/health", Api_Key="") == (200, {"status": "ready", "home_id": "home of the tests"})


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("key", ["", "a key of the test", "another", "a key of the tests\xe9"])
def test_a_wrong_key_is_refused_on_both_planes(client: Client, key: str) -> None:
    assert client.ask("GET", "/indexes", Api_Key=key) == (
        401,
        {"error": {"code": "UNAUTHENTICATED", "message": "Invalid API Key"}, "status": 401},
    )
    assert client.ask("POST", "/indexes/docs/describe_index_stats", "{}", Api_Key=key) == (
        401,
        {"code": 16, "message": "Invalid API Key", "details": []},
    )


def test_the_official_client_names_a_wrong_key(server: IndexServer) -> None:
    with Pinecone(api_key="wrong", host=server.url) as pinecone, pytest.raises(UnauthorizedError, match="Invalid API"):
        pinecone.indexes.list().to_list()


@pytest.mark.usefixtures("index")
def test_what_is_not_served_gets_501(client: Client) -> None:
    for method, path in [
        ("POST", "/indexes/docs/bulk/imports"),
        ("POST", "/indexes/docs/records/namespaces/a/upsert"),
        ("POST", "/indexes/create-for-model"),
        ("GET", "/collections"),
        ("PUT", "/indexes/docs"),
    ]:
        status, body = client.ask(method, path, "{}")
        assert status == 501
        assert f"does not serve {method} {path}" in json.dumps(body)


def test_a_method_unknown_to_http_gets_json_too(client: Client) -> None:
    status, body = client.ask("BREW", "/indexes")
    assert (status, body["error"]["code"]) == (501, "NOT_IMPLEMENTED")


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"topK": NaN}', "NaN is no JSON number"),
        (b"[]", "must be a JSON object"),
        (b'{"topK": 0, "vector": [1, 0, 0]}', "topK must be a whole number from 1 to 10000, got 0"),
        (b'{"topK": 10001, "vector": [1, 0, 0]}', "got 10001"),
        (b'{"topK": true, "vector": [1, 0, 0]}', "got True"),
        (b'{"topK": 1}', "exactly one of id and vector"),
        (b'{"topK": 1, "id": "a", "vector": [1, 0, 0]}', "exactly one of id and vector"),
        (b'{"topK": 1, "vector": [1, 0]}', "dimension 2 does not match the dimension of the index 3"),
        (b'{"topK": 1, "vector": [1, 0, null]}', "finite"),
        (b'{"topK": 1, "vector": [1, 0, 0], "filter": []}', "filter must be an object, got a list"),
        (b'{"topK": 1, "vector": [1, 0, 0], "includeValues": 1}', "includeValues must be true or false, got a number"),
        (b'{"topK": 1, "vector": [1, 0, 0], "namespace": 1}', "namespace must be a string, got a number"),
        ('{"topK": 1, "vector": [1, 0, 0], "namespace": "é"}'.encode(), "namespace must be at most 512 ASCII"),
    ],
)
def test_a_malformed_query_gets_400_and_the_connection_stays(client: Client, body: bytes, message: str) -> None:
    status, answer = client.ask("POST", "/indexes/docs/query", body)
    assert (status, answer["code"], answer["details"]) == (400, 3, [])
    assert message in answer["message"]
    assert client.ask("GET", "/health")[0] == 200


def test_a_target_that_is_no_address_and_a_length_with_zeros_are_answered(server: IndexServer) -> None:
    for line, length, status in (
        ("GET http://[ HTTP/1.1", "0", b"501"),
        ("GET /health HTTP/1.1", "0" * 25 + "2", b"200"),
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            raw.sendall(f"{line}\r\nApi-Key: {KEY}\r\nContent-Length: {length}\r\n\r\n".encode())
            raw.sendall(b"{}" * (length != "0"))
            raw.sendall(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n")
            answers = b"".join(iter(lambda: raw.recv(65536), b""))  # read at once
        assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [status, b"200"]


def test_an_oversized_body_is_read_to_its_end(client: Client) -> None:
    connection_before = None
    for _ in range(2):
        status, answer = client.ask("POST", "/indexes/docs/vectors/upsert", b"x" * (2 * 1024 * 1024 + 1))
        assert (status, answer["code"]) == (413, 11)
        assert client.connection.sock is not None
        assert connection_before in (None, client.connection.sock)
        connection_before = client.connection.sock


@pytest.mark.usefixtures("index")
def test_encoded_and_chunked_bodies_are_refused(client: Client) -> None:
    path = "/indexes/docs/query"
    assert client.ask("POST", path, b"\x1f\x8b", Content_Encoding="gzip")[0] == 415
    assert client.ask("POST", path, b"{}", Content_Length="two")[0] == 400
    client.connection.putrequest("POST", path)
    client.connection.putheader("Transfer-Encoding", "chunked")
    client.connection.endheaders()
    assert client.connection.getresponse().status == 411


def test_requests_are_counted_by_operation_refused_ones_too(server: IndexServer, client: Client, index: Index) -> None:
    before = server.request_counts()
    index.describe_index_stats()
    client.ask("POST", "/indexes/docs/query", "{}")
    client.ask("GET", "/indexes/docs/vectors/list", Api_Key="wrong")
    client.ask("POST", "/indexes/docs/vectors/upsert", b"x" * (2 * 1024 * 1024 + 1))
    client.ask("GET", "/health")
    counts = {name: n - before.get(name, 0) for name, n in server.request_counts().items()}
    assert {name: n for name, n in counts.items() if n} == {
        "describe_index_stats": 1,
        "query": 1,
        "list": 1,
        "upsert": 1,
    }
    assert client.ask("GET", "/request_counts") == (200, server.request_counts())
