"""One home, on which the real job dies three times by `kill -9` and its index server twice, and a last run mends all.

Moments are drawn: so many steps after Spark has come up, and so far into that step. Each job that is killed is a
process with a Spark of its own; the last run, which nobody kills, is a part of whoever plays.

python -m tests.killed SEED    one such game, as a failure names it
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO, TYPE_CHECKING

from local import REPOSITORY
from local.home import Home
from local.session import register_tables, spark_session
from tests.pipelines.scene import KEY
from tests.victim import LIMIT_S, SCHEMA, last, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

N_ROUNDS = 3
MAX_STEPS = 16  # of a job: about one sync
MAX_WAIT_S = 0.5  # into a step: about as long as one takes
REQUEST_S = 0.2  # how long a write takes: else hardly a kill would meet one
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy reaches this machine's loopback


@dataclass(slots=True)
class Process:
    """A process, in a group of its own with those it starts, and what it has said so far."""

    popen: subprocess.Popen[str]
    output: IO[str]
    said: list[str] = field(default_factory=list)

    def next(self) -> str:
        """Wait for the next thing it says."""
        line = self.output.readline().strip()
        assert line, f"{self.popen.args} ended by itself, with status {self.popen.wait()}, after {self.said[-3:]}"
        self.said.append(line)
        return line

    def until(self, step: str) -> None:
        while self.next() != step:
            pass

    def kill(self) -> str:
        """Kill it with every process that it started, its JVM among them; return the last two steps it began."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.said += self.output.read().splitlines()
        return ", ".join(self.said[-2:])


@contextmanager
def started(home: Path, *command: str) -> Iterator[Process]:
    """Run a module of ours; none of its processes outlives the block."""
    command = (sys.executable, "-m", *command)
    environment = os.environ | {"PINECONE_API_KEY": KEY}
    pipe = subprocess.PIPE
    with (
        log_of(home).open("a", encoding="utf-8") as log,
        subprocess.Popen(  # noqa: S603  # ours
            command, cwd=REPOSITORY, env=environment, stdout=pipe, stderr=log, text=True, start_new_session=True
        ) as popen,
    ):
        assert popen.stdout is not None
        process = Process(popen, popen.stdout)
        try:
            yield process
        finally:
            process.kill()


def log_of(home: Path) -> Path:
    return home.with_suffix(".log")


@dataclass(slots=True)
class Game:
    """A home and its server, and what dies there."""

    home: Path
    seed: int
    kills: list[str] = field(default_factory=list)  # who died, and where the job was

    def kill(self) -> None:
        """Kill the job and the server, which dies with the last job once more."""
        random = Random(self.seed)  # noqa: S311  # no secret
        with self._explained(), ExitStack() as stack:
            server, url = self._serve(stack, 0)
            for number in range(N_ROUNDS):
                with started(self.home, "tests.victim", str(self.home), url, f"{self.seed} {number}") as job:
                    job.until("up")
                    if number == 0:
                        job.until("create")  # and so it dies while the state tables are made
                    elif number == 1:
                        go_on(job, random)
                    else:
                        job.until("upsert")
                        time.sleep(random.uniform(0, 3 * REQUEST_S))
                        server.kill()
                        self.kills.append(f"server: {job.said[-1]}")
                        time.sleep(random.uniform(0, 1))
                        server, _ = self._serve(stack, int(url.rpartition(":")[2]))
                        job.until("synced")
                        go_on(job, random)
                    time.sleep(random.uniform(0, MAX_WAIT_S))
                    self.kills.append(f"job: {job.kill()}")

    def mend(self, spark: SparkSession) -> str:
        """Run to the end in a session that has another home; return what was found there, all of it right."""
        with self._explained(), ExitStack() as stack:
            _, url = self._serve(stack, 0)
            home = Home.at(self.home)
            stack.enter_context(home.lock())
            stack.callback(spark.sql, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")  # no file goes with it
            register_tables(spark, home)
            return last(stack.enter_context(opened(spark, home, url)))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say of what fails in the block, or takes too long, how to play it again."""
        signal.signal(signal.SIGALRM, hang)
        signal.alarm(LIMIT_S)
        try:
            yield
        except BaseException as error:
            words = log_of(self.home).read_text(encoding="utf-8")[-4000:]
            error.add_note(f"{self.kills}\nagain: python -m tests.killed {self.seed}\n{words}")
            raise
        finally:
            signal.alarm(0)

    def _serve(self, stack: ExitStack, port: int) -> tuple[Process, str]:
        """Start the index server; return it and its address."""
        serve = ("local", "serve", "--home", str(self.home), "--port", str(port))
        server = stack.enter_context(started(self.home, *serve))
        url = server.next().partition(" at ")[2].partition(";")[0]
        slow = [{"operation": name, "n_times": None, "delay_s": REQUEST_S} for name in ("upsert", "delete")]
        body = json.dumps({"faults": slow}).encode()
        asked = urllib.request.Request(f"{url}/faults", body, {"Api-Key": KEY}, method="PUT")  # noqa: S310  # loopback
        DIRECT.open(asked).close()
        return server, url


def hang(*_: object) -> None:
    raise TimeoutError(f"not at its end after {LIMIT_S} s")


def go_on(job: Process, random: Random) -> None:
    for _ in range(random.randint(1, MAX_STEPS)):
        job.next()


def play(folder: Path, seed: int) -> list[str]:
    """Play a game in a folder, with a Spark of its own at the end; return who died where, and last what was found."""
    game = Game(folder / "home", seed)
    game.kill()
    with spark_session(Home.at(folder / "spark")) as spark:
        return [*game.kills, game.mend(spark)]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(*play(Path(scratch), int(sys.argv[1])), sep="\n")
