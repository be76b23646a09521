"""One server's life: start, stop, restart, and what a killed one leaves behind."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pinecone import Pinecone, ServerlessSpec

from local.index_server import IndexServer
from pipelines.errors import VectorIndexError

KEY = "a key of the tests"
ROOT = Path(__file__).parents[3]
DIMENSION = 64
SERVE = """
import sys, threading
from pathlib import Path
from local.index_server import IndexServer
with IndexServer(Path(sys.argv[1]), api_key=sys.argv[2]) as server:
    print(server.port, flush=True)
    threading.Event().wait()
"""


def make_index(pinecone: Pinecone, dimension: int = 2) -> None:
    spec = ServerlessSpec(cloud="aws", region="us-east-1")
    pinecone.create_index(name="docs", dimension=dimension, metric="cosine", spec=spec, timeout=-1)


def test_a_restarted_server_holds_what_the_last_one_held(tmp_path: Path) -> None:
    with IndexServer(tmp_path, api_key=KEY) as server, Pinecone(api_key=KEY, host=server.url) as pinecone:
        make_index(pinecone)
        with pinecone.Index("docs") as index:
            index.upsert(vectors=[("a", [0.1, 1.0], {"k": ["x"], "n": 1}), ("b", [1.0, 0.0])], namespace="one")
            index.delete(ids=["b"], namespace="one")
            index.create_namespace(name="two")
            first = index.fetch(ids=["a", "b"], namespace="one")
            last_write = index.update(id="a", set_metadata={"s": "\N{SNOWMAN}"}, namespace="one").response_info
        described = pinecone.describe_index("docs")
    with IndexServer(tmp_path, api_key=KEY) as server, Pinecone(api_key=KEY, host=server.url) as pinecone:
        assert pinecone.describe_index("docs").schema == described.schema
        with pinecone.Index("docs") as index:
            again = index.fetch(ids=["a", "b"], namespace="one")
            assert {name: held.values for name, held in again.vectors.items()} == {"a": first.vectors["a"].values}
            assert again.vectors["a"].metadata == {"k": ["x"], "n": 1, "s": "\N{SNOWMAN}"}
            assert sorted(index.describe_index_stats().namespaces) == ["one", "two"]
            seen = index.query(id="a", top_k=1, namespace="one").response_info
    assert seen is not None
    assert last_write is not None
    assert seen.lsn_reconciled == last_write.lsn_committed


def test_one_server_object_can_start_again(tmp_path: Path) -> None:
    server = IndexServer(tmp_path, api_key=KEY)
    for _ in range(2):
        server.start()
        with Pinecone(api_key=KEY, host=server.url) as pinecone:
            assert list(pinecone.list_indexes()) == []
        with pytest.raises(VectorIndexError, match="already runs at"):
            server.start()
        server.stop()
    server.stop()
    assert server.request_counts() == {"list_indexes": 2}
    with pytest.raises(VectorIndexError, match="call start"):
        _ = server.url


def test_a_folder_has_one_server(tmp_path: Path) -> None:
    with (
        IndexServer(tmp_path, api_key=KEY),
        pytest.raises(VectorIndexError, match=r"is held by another index server: stop that one, or"),
    ):
        IndexServer(tmp_path, api_key=KEY).start()
    IndexServer(tmp_path, api_key=KEY).start().stop()


def test_a_file_that_is_no_database_is_named_and_the_folder_let_go(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(VectorIndexError, match=r"index\.sqlite cannot be read .*: move it away"):
        IndexServer(tmp_path, api_key=KEY).start()
    (tmp_path / "index.sqlite").unlink()
    IndexServer(tmp_path, api_key=KEY).start().stop()


def test_a_port_in_use_is_named_and_the_folder_let_go(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(VectorIndexError, match=f"port {port} of 127.0.0.1 is in use"):
            IndexServer(tmp_path, api_key=KEY, port=port).start()
    with IndexServer(tmp_path, api_key=KEY, port=port) as server:
        assert (server.port, server.url) == (port, f"http://127.0.0.1:{port}")


def test_a_number_that_is_no_port_is_named_and_the_folder_let_go(tmp_path: Path) -> None:
    with pytest.raises(VectorIndexError, match=r"^port 99999 is no port: choose one from 0 to 65535$"):
        IndexServer(tmp_path, api_key=KEY, port=99_999).start()
    with IndexServer(tmp_path, api_key=KEY):
        pass


def test_stop_ends_idle_connections(tmp_path: Path) -> None:
    with IndexServer(tmp_path, api_key=KEY) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/health")
        connection.getresponse().read()
        threads = [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]
        assert threads
    assert not any(thread.is_alive() for thread in threads)
    assert connection.sock is not None
    assert connection.sock.recv(1) == b""
    connection.close()


def test_the_key_is_in_no_repr(tmp_path: Path) -> None:
    with IndexServer(tmp_path, api_key=KEY) as server:
        assert KEY not in repr(server)


class Writer(threading.Thread):
    """Upserts batch after batch on one connection, with no retry, until the server is gone."""

    N_RECORDS = 20

    def __init__(self, port: int, name: str, n_batches: int) -> None:
        super().__init__(name=name)
        self.port, self.n_batches = port, n_batches
        self.acknowledged: list[int] = []
        self.enough = threading.Event()

    def batch(self, number: int) -> list[dict[str, Any]]:
        rng = np.random.default_rng(number)
        return [
            {"id": f"{self.name}-{number}-{n}", "values": rng.random(DIMENSION).tolist(), "metadata": {"batch": number}}
            for n in range(self.N_RECORDS)
        ]

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            for number in range(10_000):
                connection.request(
                    "POST",
                    "/indexes/docs/vectors/upsert",
                    json.dumps({"vectors": self.batch(number)}),
                    {"Api-Key": KEY},
                )
                if connection.getresponse().read() == b'{"upsertedCount":20}':
                    self.acknowledged.append(number)
                if len(self.acknowledged) == self.n_batches:
                    self.enough.set()
        except (OSError, http.client.HTTPException):
            return
        finally:
            self.enough.set()
            connection.close()


def test_kill_9_loses_no_acknowledged_write_and_leaves_none_half_done(tmp_path: Path) -> None:
    writers: list[Writer] = []
    for round_number in range(3):
        command = [sys.executable, "-c", SERVE, str(tmp_path), KEY]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603  # our own
            assert process.stdout is not None
            port = int(process.stdout.readline())
            if round_number == 0:
                with Pinecone(api_key=KEY, host=f"http://127.0.0.1:{port}") as pinecone:
                    make_index(pinecone, DIMENSION)
            running = [Writer(port, f"r{round_number}w{number}", 3 + 4 * round_number) for number in range(2)]
            for writer in running:
                writer.start()
            for writer in running:
                assert writer.enough.wait(30)
            process.send_signal(signal.SIGKILL)  # both writers are in the middle of a request
            for writer in running:
                writer.join(30)
            writers += running
    with (
        IndexServer(tmp_path, api_key=KEY) as server,
        Pinecone(api_key=KEY, host=server.url) as pinecone,
        pinecone.Index("docs") as index,
    ):
        held = {item.id for page in index.list() for item in page.vectors}
        for writer in writers:
            assert len(writer.acknowledged) >= writer.n_batches
            number = writer.acknowledged[-1]
            expected = {record["id"]: record for record in writer.batch(number)}
            fetched = index.fetch(ids=list(expected)).vectors
            assert {name: record.metadata for name, record in fetched.items()} == {
                name: record["metadata"] for name, record in expected.items()
            }
            for name, record in fetched.items():
                assert np.allclose(record.values, expected[name]["values"], atol=1e-7)
            assert held >= {record["id"] for done in writer.acknowledged for record in writer.batch(done)}
            in_flight = {record["id"] for record in writer.batch(number + 1)}
            assert len(held & in_flight) in (0, Writer.N_RECORDS)
