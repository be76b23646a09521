"""How fast is a sync: against the raw client, against one request at a time, and one change of many against one of few.

The index server runs in a process of its own, every request 30 ms away. The raw client has its records in memory and
sends them as its documentation says; the sync reads them out of Spark and keeps its state besides. Both raw ways send
what `tolist()` makes of float32, 1.7 times the text that a sync sends, and our server, which reads JSON with Python's
own reader, spends longer on it. So the raw client is measured once more, its floats shortened beforehand.

Run: PYTHONPATH=. python benchmarks/sync.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
import urllib.request
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from index_server import KEY, start, usage
from pinecone import Pinecone

from local.home import Home
from local.session import spark_session
from pipelines.ids import content_hash, doc_id, record_id
from pipelines.prepare import prepare
from pipelines.recipe import embeddings_recipe
from pipelines.record import shortest
from pipelines.sender import N_CONCURRENT
from pipelines.settings import Settings
from pipelines.sync import sync
from pipelines.tables import EMBEDDINGS
from pipelines.weights import DEFAULT_DIMENSION, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import SparkSession

    from pipelines.report import SyncReport

N_SENTENCES: Final = 4  # of a document
LATENCY_S: Final = 0.03
N_SPEED, N_TURNS = 200_000, 3
N_RAW_RECORDS: Final = 50_000  # enough for a rate; as lists of Python floats they take 0.8 GB
N_RAW, N_SHORT = 240, 400  # records a request: what 2 MB takes of them, and of them with shortest floats
N_OLD, N_OLD_RECORDS = 100, 5_000
PLANNING: Final = (1_000, 50_000)  # documents


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """Serve an index that is some way off; yield its address and process."""
    with tempfile.TemporaryDirectory() as folder:
        server, port, _ = start(folder)
        url = f"http://127.0.0.1:{port}"
        far = {"faults": [{"operation": "*", "delay_s": LATENCY_S, "n_times": None}]}
        asked = urllib.request.Request(f"{url}/faults", orjson.dumps(far), {"Api-Key": KEY}, method="PUT")  # noqa: S310
        urllib.request.urlopen(asked).close()  # noqa: S310  # our own server
        try:
            yield url, server.pid
        finally:
            server.kill()
            server.wait()


@contextmanager
def opened() -> Iterator[tuple[SparkSession, str, int, Path]]:
    """Start Spark and such a server; yield the session, the server's address and process, and a folder."""
    with (
        tempfile.TemporaryDirectory() as folder,
        served() as (url, pid),
        spark_session(Home.at(f"{folder}/home"), for_minutes=True) as spark,
    ):
        yield spark, url, pid, Path(folder)


@dataclass(frozen=True, slots=True)
class World:
    """A source and its log of embeddings, in a schema of its own; vectors are drawn."""

    spark: SparkSession
    settings: Settings
    folder: Path

    @classmethod
    def of(cls, spark: SparkSession, url: str, n_documents: int, folder: Path, name: str = "bench") -> World:
        """Make it, with a namespace that holds nothing of it."""
        schema = f"{name}_{n_documents}"
        source = f"{schema}.articles"
        settings = Settings(source_table=source, schema=schema, index_name="docs", namespace=schema, pinecone_host=url)
        spark.sql(f"CREATE SCHEMA {schema}")
        feed = "TBLPROPERTIES (delta.enableChangeDataFeed = true)"
        spark.sql(f"CREATE TABLE {source} (id STRING, text STRING) USING delta {feed}")
        spark.sql(f"INSERT INTO {source} SELECT concat('document ', id), 'a text' FROM range({n_documents})")
        spark.sql(EMBEDDINGS.creation(settings.table(EMBEDDINGS.name)))
        world = cls(spark, settings, folder)
        for first in range(0, n_documents, 10_000):
            world.log(range(first, min(first + 10_000, n_documents)), version=1)
        return world

    def log(self, documents: Sequence[int], version: int) -> None:
        """Append a version of documents to `embeddings`, as a file that Spark reads."""
        common = {"model": fingerprint(None, "float32"), "recipe": embeddings_recipe(self.settings), "namespace": "any"}
        common |= {"n_sentences": N_SENTENCES, "deleted": False, "source_epoch": 0, "embedded": True}
        rows = []
        for number in documents:
            source_id = f"document {number}"
            own: dict[str, Any] = {"doc_id": doc_id(source_id), "source_id": source_id}
            own_hash = content_hash(f"{number} {version}")
            for n in range(N_SENTENCES):
                text = f"Sentence {n} of document {number}, as its version {version} has it: neither long nor short."
                metadata = orjson.dumps({"text": text, **own, "ordinal": n}).decode()
                place = {"id": record_id(own["doc_id"], n), "ordinal": n, "version": version}
                hashes = {"text_hash": content_hash(text), "document_hash": own_hash}
                rows.append(own | common | place | hashes | {"metadata": metadata})
        vectors = np.random.default_rng(documents[0]).standard_normal((len(rows), DEFAULT_DIMENSION), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        offsets = pa.array(np.arange(0, vectors.size + 1, DEFAULT_DIMENSION, np.int32))
        table = pa.Table.from_pylist(rows)
        table = table.append_column("vector", pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel())))
        pq.write_table(table, self.folder / "rows.parquet")
        kinds = [f"CAST({name} AS {kind}) AS {name}" for name, (kind, _) in EMBEDDINGS.columns.items()]
        read = self.spark.read.parquet(str(self.folder / "rows.parquet")).selectExpr("*", "now() AS changed_at")
        read.selectExpr(*kinds).write.insertInto(self.settings.table(EMBEDDINGS.name))

    def sync(self, namespace: str = "") -> SyncReport:
        """Prepare and sync, into another namespace if named."""
        settings = replace(self.settings, namespace=namespace or self.settings.namespace)
        prepare(self.spark, settings, KEY)
        return sync(self.spark, settings, KEY)

    def records(self, n: int) -> list[dict[str, Any]]:
        """Return so many records as the raw client takes them."""
        table = self.spark.table(self.settings.table(EMBEDDINGS.name))
        rows = table.select("id", "vector", "metadata").limit(n).toArrow()
        vectors = rows["vector"].combine_chunks().flatten().to_numpy().reshape(-1, DEFAULT_DIMENSION).tolist()
        pairs = zip(rows["id"].to_pylist(), vectors, rows["metadata"].to_pylist(), strict=True)
        return [{"id": name, "values": floats, "metadata": orjson.loads(text)} for name, floats, text in pairs]


def shortened(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record of the raw client with Python floats whose text is the one that a sync sends."""
    return record | {"values": orjson.loads(orjson.dumps(shortest(np.array(record["values"], np.float32))))}


def speed(spark: SparkSession, url: str, pid: int, folder: Path) -> None:
    """Print records a second of a sync's apply, of the raw client in parallel, and of one request at a time."""
    world = World.of(spark, url, N_SPEED // N_SENTENCES, folder)
    records = world.records(N_RAW_RECORDS)
    world.sync("warm")  # compiles what the JVM compiles
    took, busy = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)

    def measured(way: str, n_records: int, seconds: float, cpu_s: float) -> None:
        took[way].append(n_records / seconds)
        busy[way].append((usage(pid)[0] - cpu_s) / seconds)

    with Pinecone(api_key=KEY, host=url) as client, client.Index("docs") as index:
        for turn in range(N_TURNS):
            cpu_s = usage(pid)[0]
            measured("sync", N_SPEED, world.sync(f"sync {turn}").seconds["apply"], cpu_s)
            for way, batch_size, made in (("raw", N_RAW, dict), ("short", N_SHORT, shortened)):
                given = list(map(made, records))
                more = {"batch_size": batch_size, "max_concurrency": N_CONCURRENT, "show_progress": False}
                cpu_s, started = usage(pid)[0], time.monotonic()
                assert not index.upsert(vectors=given, namespace=f"{way} {turn}", **more).failed_items  # noqa: S101
                measured(way, N_RAW_RECORDS, time.monotonic() - started, cpu_s)
            del given  # as large as the records
            cpu_s, started = usage(pid)[0], time.monotonic()
            for first in range(0, N_OLD_RECORDS, N_OLD):
                index.upsert(vectors=records[first : first + N_OLD], namespace=f"old {turn}")
            measured("old", N_OLD_RECORDS, time.monotonic() - started, cpu_s)
    rates = {way: statistics.median(found) for way, found in took.items()}
    for way, what in (
        ("sync", "sync: its apply"),
        ("raw", f"raw: {N_CONCURRENT} at a time"),
        ("short", "short: floats shortened"),
        ("old", f"old: one of {N_OLD} at a time"),
    ):
        share = statistics.median(busy[way])
        print(f"{what:<28}{rates[way]:8,.0f} records a second, the server on {share:4.0%} of a core")
    for way, other, goal in (("sync", "raw", 0.9), ("sync", "short", None), ("sync", "old", 3), ("short", "old", None)):
        ratio = f"  {f'{way} against {other}':<26}{rates[way] / rates[other]:8.2f}"
        print(ratio + (f"    at least {goal}" if goal else ""))


def planning(spark: SparkSession, url: str, folder: Path) -> None:
    """Print seconds to plan one changed document of few and of many."""
    worlds = {n: World.of(spark, url, n, folder, "plan") for n in PLANNING}
    took: dict[int, list[float]] = {n: [] for n in PLANNING}
    for world in worlds.values():
        world.sync()
    for turn in range(2, 7):
        for n, world in worlds.items():
            world.log([turn], version=turn)
            report = world.sync()
            assert (report.form, report.n_changed) == ("incremental", 1)  # noqa: S101
            took[n].append(report.seconds["plan"])
    few, many = (statistics.median(took[n]) for n in PLANNING)
    print(f"plan, 1 of {PLANNING[0]:,}            {few:8.2f} s")
    print(f"plan, 1 of {PLANNING[1]:,}           {many:8.2f} s")
    print(f"  many against few          {many / few:8.2f}    at most 1.5")


def main() -> None:
    """Print one table."""
    with opened() as (spark, url, pid, folder):
        speed(spark, url, pid, folder)
        planning(spark, url, folder)


if __name__ == "__main__":
    main()
