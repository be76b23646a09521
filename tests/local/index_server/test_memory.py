"""Memory follows what is held, not what was ever written, asked or seen late."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pinecone import Pinecone, ServerlessSpec

if TYPE_CHECKING:
    from pinecone import Index

pytestmark = pytest.mark.long

KEY = "a key of the tests"
ROOT = Path(__file__).parents[3]
DIMENSION, N_RECORDS = 1024, 600
SERVE = """
import sys, threading
from pathlib import Path
from local.index_server import IndexServer
with IndexServer(Path(sys.argv[1]), api_key=sys.argv[2]) as server:
    server.set_visibility_delay(0.1)
    print(server.port, flush=True)
    threading.Event().wait()
"""


def resident_mb(pid: int) -> float:
    ps = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)  # noqa: S603, S607  # POSIX has it
    return int(ps.stdout) / 1024


def rewrite(index: Index, number: int) -> None:
    """Delete, write and look at every record once; each round vectors and texts that nobody asks for again."""
    values = np.random.default_rng(number).random((N_RECORDS, DIMENSION), np.float32).tolist()
    text = f"{number} " * 300
    index.delete(delete_all=True, namespace="one")
    for start in range(0, N_RECORDS, 100):
        vectors = [
            {"id": f"{number % 3}-{n}", "values": vector, "metadata": {"text": f"{n} {text}", "n": n}}
            for n, vector in enumerate(values[start : start + 100], start)
        ]
        index.upsert(vectors=vectors, namespace="one")
    index.query(vector=values[0], top_k=1_000, filter={"n": {"$gte": 0}}, include_metadata=True, namespace="one")
    index.create_namespace(name=f"round-{number}")
    index.delete_namespace(name=f"round-{number}")


def test_writing_the_same_again_and_again_takes_no_more_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVE, str(tmp_path), KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603  # our own
        assert process.stdout is not None
        host = f"http://127.0.0.1:{int(process.stdout.readline())}"
        try:
            with Pinecone(api_key=KEY, host=host, ssl_verify=False) as pinecone:
                spec = ServerlessSpec(cloud="aws", region="us-east-1")
                pinecone.create_index(name="docs", dimension=DIMENSION, metric="cosine", spec=spec, timeout=-1)
                with pinecone.Index("docs") as index:
                    index.create_namespace(name="one")
                    resident = []
                    for number in range(24):
                        rewrite(index, number)
                        resident.append(resident_mb(process.pid))
        finally:
            process.kill()
    # Of the last sixteen rounds 40 MB are vectors, 10 MB texts: to keep either would show.
    assert max(resident[8:]) - max(resident[:8]) < 8, resident
