"""How fast is the index server: upserts, queries, memory, in a process of its own.

Ratios within one run are what counts; absolute figures are this machine's.

Run: PYTHONPATH=. python benchmarks/index_server.py
"""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from pinecone import Pinecone, ServerlessSpec

from pipelines.record import shortest

N_RECORDS, DIMENSION, N_BATCH, N_CONCURRENT, N_QUERIES = 100_000, 384, 400, 8, 20
KEY = "benchmark"
SERVE = """
import sys, threading
from pathlib import Path
from local.index_server import IndexServer
started = __import__("time").monotonic()
with IndexServer(Path(sys.argv[1]), api_key=sys.argv[2]) as server:
    print(server.port, __import__("time").monotonic() - started, flush=True)
    threading.Event().wait()
"""


def start(folder: str) -> tuple[subprocess.Popen[str], int, float]:
    """Start a server; return it, its port, and the seconds it took to load its folder."""
    command = [sys.executable, "-c", SERVE, folder, KEY]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  # ours
    assert server.stdout is not None  # noqa: S101
    port, took_s = server.stdout.readline().split()
    return server, int(port), float(took_s)


def usage(pid: int) -> tuple[float, float]:
    """Return a process's seconds of CPU time so far, and its resident memory in MB."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    resident = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), resident * os.sysconf("SC_PAGESIZE") / 1e6


def batches() -> list[bytes]:
    """Make the bodies of all upserts beforehand, so that only the server is measured."""
    rng, bodies = np.random.default_rng(0), []
    for start_at in range(0, N_RECORDS, N_BATCH):
        values = rng.standard_normal((N_BATCH, DIMENSION)).astype(np.float32)
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        vectors = [
            {
                "id": f"{start_at + n}",
                "values": shortest(row),
                "metadata": {"text": "A sentence of some length.", "n": n},
            }
            for n, row in enumerate(values)
        ]
        bodies.append(orjson.dumps({"vectors": vectors}))
    return bodies


def upsert(port: int, bodies: list[bytes]) -> float:
    """Send all bodies over some connections; return the seconds it took."""

    def send(part: list[bytes]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for body in part:
            connection.request("POST", "/indexes/docs/vectors/upsert", body, {"Api-Key": KEY})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, text  # noqa: S101, PLR2004
        connection.close()

    started = time.monotonic()
    with ThreadPoolExecutor(N_CONCURRENT) as pool:
        list(pool.map(send, [bodies[n::N_CONCURRENT] for n in range(N_CONCURRENT)]))
    return time.monotonic() - started


def query_ms(index: Any, **more: Any) -> float:
    """Median milliseconds of a query as the official client sees it."""
    took, rng = [], np.random.default_rng(1)
    for _ in range(N_QUERIES):
        vector = rng.standard_normal(DIMENSION).tolist()
        started = time.monotonic()
        index.query(vector=vector, top_k=10, **more)
        took.append(time.monotonic() - started)
    return 1000 * statistics.median(took)


def main() -> None:
    """Print one table."""
    bodies = batches()
    with tempfile.TemporaryDirectory() as folder:
        server, port, empty_s = start(folder)
        with Pinecone(api_key=KEY, host=f"http://127.0.0.1:{port}") as client:
            spec = ServerlessSpec(cloud="aws", region="us-east-1")
            client.create_index(name="docs", dimension=DIMENSION, metric="cosine", spec=spec, timeout=-1)
            before_s, _ = usage(server.pid)
            took_s = upsert(port, bodies)
            after_s, resident_mb = usage(server.pid)
            raw_mb = N_RECORDS * DIMENSION * 4 / 1e6
            print(f"start, empty                {empty_s:8.2f} s")
            print(f"upsert {N_RECORDS:,} x {DIMENSION}       {took_s:8.1f} s, in {len(bodies)} requests of {N_BATCH}")
            print(f"                            {N_RECORDS / took_s:8,.0f} records a second")
            print(f"                            {len(bodies) / took_s:8.1f} requests a second")
            print(f"  of its time on a core     {(after_s - before_s) / took_s:8.0%}")
            print(f"memory                      {resident_mb:8,.0f} MB, the vectors alone {raw_mb:,.0f} MB")
            with client.Index("docs") as index:
                for what, more in (
                    ("query", {}),
                    ("query, a tenth passes", {"filter": {"n": {"$lt": N_BATCH // 10}}}),
                    ("query, none passes", {"filter": {"n": -1}}),
                ):
                    print(f"{what:<28}{query_ms(index, include_metadata=True, **more):8.1f} ms")
        server.kill()
        server.wait()
        server, _, full_s = start(folder)
        print(f"start, {N_RECORDS:,} records     {full_s:8.2f} s")
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
