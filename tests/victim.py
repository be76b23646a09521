"""What is killed: a process of its own that says what it begins. And `last`, which comes after it and mends all.

python -m tests.victim HOME URL SEED    the steps of a job, again and again
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from functools import wraps
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from pinecone import Pinecone

from local.home import Home
from local.index_server import IndexServer
from local.session import spark_session
from pipelines import sync as sync_module
from pipelines.errors import VectorIndexError
from pipelines.ids import TOMBSTONE_HASH
from pipelines.index import VectorIndex
from pipelines.lease import break_leases
from pipelines.settings import Settings
from pipelines.state import State
from pipelines.state_tables import INDEX_STATE
from pipelines.tables import EMBEDDINGS
from tests.pipelines.scene import KEY, Scene, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import Row, SparkSession

LIMIT_S = 900  # whoever hangs is ended, on however slow a machine
WINDOW_RECORDS = 8  # so that a sync has several windows
SCHEMA, DOCUMENTS = "victim", "pqrst"
STEPS = ((State, ("create", "held", "append", "bury")), (VectorIndex, ("ensure", "upsert", "delete")))


def say(what: str) -> None:
    os.write(1, f"{what}\n".encode())  # at once, and whole beside what other threads say: its killer goes by it


def announced(call: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method say that it begins."""

    @wraps(call)
    def wrapper(*given: Any, **named: Any) -> Any:
        say(call.__name__)
        return call(*given, **named)

    return wrapper


@contextmanager
def opened(spark: SparkSession, home: Home, url: str) -> Iterator[Scene]:
    """Go on with what the home holds."""
    source = f"{SCHEMA}.articles"
    settings = Settings(source_table=source, schema=SCHEMA, index_name="docs", pinecone_host=url)
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    feed = "TBLPROPERTIES (delta.enableChangeDataFeed = true)"
    spark.sql(f"CREATE TABLE IF NOT EXISTS {source} (id STRING, text STRING) USING delta {feed}")
    spark.sql(EMBEDDINGS.creation(settings.table(EMBEDDINGS.name)))
    break_leases(spark, settings)  # of runs that were killed: the home's lock says that nobody else is there
    held = {row.id for row in spark.table(source).collect()}
    not_started = IndexServer(home.index, api_key=KEY)  # the one that runs is another process
    with Pinecone(api_key=KEY, host=url, ssl_verify=False) as pinecone:
        yield Scene(spark, not_started, settings, pinecone, held)


def rows_of_log(scene: Scene) -> list[Row]:
    return scene.spark.table(scene.settings.table(EMBEDDINGS.name)).collect()


def drawn(random: Random, version: int) -> list[Version]:
    """Draw the next version of some documents; one without sentences is deleted."""
    changed = [
        Version(name, version, tuple(random.choices("abcdefgh", k=random.randint(0, 5))), random.choice(("one", "two")))
        for name in random.sample(DOCUMENTS, 3)
    ]
    return [Version("stays", version, ("It stays.",)), *changed]


def work(scene: Scene, random: Random) -> None:
    """Do the steps of a job until somebody ends this; a server that is gone for a while is no reason to stop."""
    for owner, names in STEPS:
        for name in names:
            setattr(owner, name, announced(getattr(owner, name)))
    sync_module.record = announced(sync_module.record)
    sync_module.WINDOW_RECORDS = WINDOW_RECORDS
    version = max((row.version for row in rows_of_log(scene)), default=0)
    while True:
        try:
            scene.prepare()
            for _ in range(random.randint(1, 2)):
                version += 1
                say("log")
                scene.log(*drawn(random, version))
            scene.sync()
            say("synced")
        except VectorIndexError as error:
            say(f"failed: {error}")


def last(scene: Scene) -> str:
    """Prepare and sync to their end, and hold what is there against what the log says, winner by version."""
    scene.prepare()
    scene.sync()
    log, source = rows_of_log(scene), scene.held
    newest = {row.doc_id: row.version for row in sorted(log, key=lambda row: row.version)}
    winners = [row for row in log if row.version == newest[row.doc_id]]
    live = [row for row in winners if not row.deleted and row.source_id in source]
    contents = scene.contents()
    assert contents == {
        row.id: (np.asarray(row.vector, dtype=np.float32).tobytes(), orjson.loads(row.metadata)) for row in live
    }
    with scene.pinecone.Index(scene.settings.index_name) as index:
        namespaces = index.describe_index_stats().namespaces
    counts = {name: found.vector_count for name, found in namespaces.items()}
    assert counts in ({scene.settings.namespace: len(live)}, {})

    state = State(scene.spark, scene.settings).held().collect()
    known = {row.doc_id: (row.document_hash, row.deleted, len(row.payload_hashes)) for row in state}
    gone = (TOMBSTONE_HASH, True, 0)
    assert known == dict.fromkeys(newest, gone) | {
        row.doc_id: (row.document_hash, False, row.n_sentences) for row in live
    }
    raw = scene.spark.table(scene.settings.table(INDEX_STATE.name))
    assert raw.count() == raw.select("doc_id", "seq").distinct().count()
    assert all(None not in row.payload_hashes for row in state)
    assert scene.dead_letters() == []
    again = scene.sync()
    assert (again.n_changed, again.n_requests, again.n_records) == (0, 0, len(live))
    runs = scene.runs()
    assert [run.outcome for run in runs[-2:]] == ["succeeded"] * 2
    assert len({run.run_id for run in runs}) == len(runs)
    return f"{len(live)} records of {len(newest)} documents, {len(runs)} runs"


def main(folder: str, url: str, seed: str) -> None:
    signal.alarm(LIMIT_S)
    home = Home.at(folder)
    with home.lock(), spark_session(home) as spark:
        say("up")
        with opened(spark, home, url) as scene:
            work(scene, Random(seed))  # noqa: S311  # no secret


if __name__ == "__main__":
    main(*sys.argv[1:])
