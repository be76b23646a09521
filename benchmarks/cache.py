"""What one edited document costs an update, with few and with many vectors kept.

    PYTHONPATH=. python benchmarks/cache.py

A document of 75 sentences, one of them edited, goes through the flow into `embeddings`, in turn with 10,000 and with
300,000 kept vectors, drawn at random. Bytes are what Linux says that the JVM read from files (`rchar`).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from _report import distinct_sentences, report, timed
from flow import flow, store
from pyspark import SparkContext

from local.home import Home
from local.session import spark_session
from pipelines.embedding_cache import kept_vectors
from pipelines.ids import content_hash
from pipelines.settings import Settings
from pipelines.state_tables import EMBEDDING_CACHE
from pipelines.weights import DEFAULT_DIMENSION, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

N_SENTENCES, N_ROUNDS = 75, 5
SIZES = (10_000, 300_000)


def fill(spark: SparkSession, settings: Settings, texts: list[str], n_rows: int) -> None:
    """Keep vectors of these texts and of as many others as are missing to `n_rows`, sorted as a sync leaves them."""

    def drawn(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            random = np.random.default_rng(int(batch.id.iloc[0]))
            values = random.standard_normal((len(batch), DEFAULT_DIMENSION)).astype("<f4")
            keys = [content_hash(texts[i] if i < len(texts) else str(i)) for i in batch.id]
            yield pd.DataFrame({"text_hash": keys, "vector": [row.tobytes() for row in values]})

    table = settings.table(EMBEDDING_CACHE.name)
    spark.sql(f"CREATE SCHEMA {settings.schema}")
    spark.sql(EMBEDDING_CACHE.creation(table))
    model = fingerprint(None, "float32")
    rows = spark.range(0, n_rows, 1, 2).mapInPandas(drawn, "text_hash STRING, vector BINARY").orderBy("text_hash")
    more = f"'{model}' AS model", "vector", "'one' AS table_id", "1L AS table_version"
    rows.selectExpr("text_hash", *more).writeTo(table).append()


def bytes_read() -> int:
    """Bytes that the JVM has read so far."""
    gateway = SparkContext._gateway  # noqa: SLF001  # the one handle there is
    assert gateway is not None  # noqa: S101  # Spark runs
    fields = dict(line.split(": ") for line in Path(f"/proc/{jvm_pid(gateway.proc.pid)}/io").read_text().splitlines())
    return int(fields["rchar"])


def jvm_pid(shell: int) -> int:
    """Find the JVM below the script that started it."""
    children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    return jvm_pid(int(children[0])) if children and "java" not in Path(f"/proc/{shell}/comm").read_text() else shell


def main() -> None:
    """Measure both."""
    texts = distinct_sentences()[:N_SENTENCES]
    with tempfile.TemporaryDirectory() as name, spark_session(Home.at(f"{name}/home"), for_minutes=True) as spark:
        (checkpoints := Path(name) / "checkpoints").mkdir()
        spark.sql("CREATE SCHEMA flow")
        store(spark, "flow.edited", [*texts[1:], "An edited sentence."], 1)
        seconds: dict[int, list[float]] = {n: [] for n in SIZES}
        read: dict[int, list[float]] = {n: [] for n in SIZES}
        all_settings = {n: Settings(source_table="a.b", schema=f"kept{n}") for n in SIZES}
        for n, settings in all_settings.items():
            fill(spark, settings, texts, n)
        for n_round in range(N_ROUNDS + 1):
            for n, settings in all_settings.items():
                before = bytes_read()
                took = timed(
                    lambda settings=settings: flow(spark, "flow.edited", checkpoints, kept_vectors(spark, settings))
                )
                if n_round:  # the first one loads the model
                    seconds[n].append(took)
                    read[n].append(bytes_read() - before)
    few, many = SIZES
    report(
        "cache",
        {
            f"one edited document, {few:,} kept, s": median(seconds[few]),
            f"one edited document, {many:,} kept, s": median(seconds[many]),
            "seconds / seconds": median(seconds[many]) / median(seconds[few]),
            f"{few:,} kept, MB read": median(read[few]) / 1e6,
            f"{many:,} kept, MB read": median(read[many]) / 1e6,
        },
    )


if __name__ == "__main__":
    main()
