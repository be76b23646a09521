"""What Spark costs around the model: the flow into `embeddings` against bare `encode`, two workers each.

    PYTHONPATH=. python benchmarks/flow.py [--sentences N]

The flow is a stream from one Delta table into another, as the pipeline runs it. Workers have their model before the
clock starts, on both sides. The gain of a second worker is measured on a cluster of two, against that of a second bare
process in the same run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from _report import distinct_sentences, peak_megabytes, report, timed

from local.home import Home
from local.session import spark_session
from pipelines.embedder import Embedder
from pipelines.ids import content_hash
from pipelines.settings import Settings
from pipelines.tables import SENTENCES
from pipelines.to_embeddings import to_embeddings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from pyspark.sql import DataFrame, SparkSession

SETTINGS = Settings(source_table="a.b", schema="flow")
N_ROUNDS = 2
ARROW_BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch"


def bare(pipe: Connection) -> None:
    """Encode whatever comes, until nothing does."""
    embedder = Embedder(n_threads=1)
    while (texts := pipe.recv()) is not None:
        embedder.encode(texts)
        pipe.send(len(texts))


@contextmanager
def processes(n: int) -> Iterator[list[Any]]:
    """Give so many processes with a model."""
    context, pipes = get_context("spawn"), []
    for _ in range(n):
        ours, theirs = context.Pipe()
        context.Process(target=bare, args=(theirs,), daemon=True).start()
        pipes.append(ours)
    encode(pipes, ["up"])
    yield pipes
    for pipe in pipes:
        pipe.send(None)


def encode(pipes: list[Any], texts: list[str]) -> None:
    """Let processes encode equal shares."""
    for i, pipe in enumerate(pipes):
        pipe.send(texts[i :: len(pipes)])
    for pipe in pipes:
        pipe.recv()


def store(spark: SparkSession, table: str, texts: list[str], n_files: int) -> None:
    """Write a table as `sentences` is."""
    rows = []
    for i, text in enumerate(texts):
        mine = {"id": f"{i}#0", "doc_id": str(i), "version": 1, "ordinal": 0, "n_sentences": 1, "sentence": text}
        mine |= {"text_hash": content_hash(text), "metadata": "{}", "deleted": False}
        rows.append(tuple(mine.get(name) for name in SENTENCES.columns))
    spark.createDataFrame(rows, SENTENCES.ddl()).repartition(n_files).write.mode("overwrite").saveAsTable(table)


def flow(spark: SparkSession, table: str, folder: Path, kept: DataFrame | None = None) -> float:
    """Seconds of one run of the flow over a whole table."""

    def run() -> None:
        rows = to_embeddings(spark.readStream.table(table), kept, SETTINGS)
        target = f"flow.out{len(list(folder.iterdir()))}"
        checkpoint = str(folder / target)
        query = rows.writeStream.trigger(availableNow=True).option("checkpointLocation", checkpoint).toTable(target)
        query.awaitTermination()

    return timed(run)


def worker_megabytes() -> float:
    """The most that a Python worker of Spark ever held."""
    peaks = [0.0]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"pyspark.daemon" in (process / "cmdline").read_bytes():
                peaks.append(peak_megabytes((process / "status").read_text()))
        except OSError:  # it ended meanwhile
            continue
    return max(peaks)


def torch_megabytes() -> float:
    """What a process holds once it has imported torch and what Spark's workers import, and nothing else."""
    script = "import pandas, pyarrow, torch; print(open('/proc/self/status').read())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603  # ours
    return peak_megabytes(done.stdout)


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=20_000)
    n_sentences = parser.parse_args().sentences
    found = distinct_sentences()
    texts = [found[i % len(found)] + (f" See {i}." if i >= len(found) else "") for i in range(n_sentences)]
    figures: dict[str, float | str] = {"sentences": n_sentences}
    with tempfile.TemporaryDirectory() as name, processes(2) as pipes:
        folder = Path(name)
        figures |= overhead(folder, pipes, texts)
        figures |= gain(folder, pipes, texts[: n_sentences // 4])
    report("flow", figures)


def overhead(folder: Path, pipes: list[Any], texts: list[str]) -> dict[str, float | str]:
    """Compare the flow on one machine with bare processes, by the rows of an Arrow batch and the files of the table."""
    (checkpoints := folder / "checkpoints").mkdir()
    cases = {(10_000, 2): "", (1_000, 2): ", Arrow batches of 1,000", (10_000, 16): ", 16 files"}
    took: dict[Any, list[float]] = {key: [] for key in (*cases, "bare")}
    with spark_session(Home.at(folder / "home"), for_minutes=True) as spark:
        spark.sql("CREATE SCHEMA flow")
        for n_files in (2, 16):
            store(spark, f"flow.files{n_files}", texts, n_files)
        store(spark, "flow.few", texts[:64], 2)
        flow(spark, "flow.few", checkpoints)
        for _ in range(2):
            took["bare"].append(timed(lambda: encode(pipes, texts)))
            for n_rows, n_files in cases:
                spark.conf.set(ARROW_BATCH, n_rows)
                took[n_rows, n_files].append(flow(spark, f"flow.files{n_files}", checkpoints))
        megabytes = worker_megabytes()
    figures: dict[str, float | str] = {
        f"flow / bare encode, 2 workers{words}": min(took[key]) / min(took["bare"]) for key, words in cases.items()
    }
    return figures | {
        "bare encode, sentences a second": len(texts) / min(took["bare"]),
        "resident memory of a worker, MB": megabytes,
        "of that, to import torch, MB": torch_megabytes(),
    }


def gain(folder: Path, pipes: list[Any], texts: list[str]) -> dict[str, float | str]:
    """Compare what a second worker of a cluster gains with what a second bare process does."""
    (checkpoints := folder / "cluster_checkpoints").mkdir()
    cluster = "local-cluster[2,1,2048]"
    with spark_session(Home.at(folder / "cluster"), for_minutes=True, master=cluster) as spark:
        spark.sql("CREATE SCHEMA flow")
        for n_files in (1, 2):
            store(spark, f"flow.files{n_files}", texts, n_files)
        store(spark, "flow.few", texts[:64], 2)

        def warm(table: str) -> float:
            flow(spark, "flow.few", checkpoints)  # Spark ends a Python worker, and its model, after an idle minute
            return flow(spark, table, checkpoints)

        rounds = [
            (
                warm("flow.files1") / warm("flow.files2"),
                timed(lambda: encode(pipes[:1], texts)) / timed(lambda: encode(pipes, texts)),
            )
            for _ in range(N_ROUNDS)
        ]
    ours, theirs = (median(column) for column in zip(*rounds, strict=True))
    return {"gain of a second worker": ours, "gain of a second process": theirs, "gain / gain": ours / theirs}


if __name__ == "__main__":
    main()
