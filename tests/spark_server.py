"""A Spark of the tests' own, in a process of its own, for every process of a run.

python -m tests.spark_server FOLDER
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from local import REPOSITORY
from local.home import Home
from local.session import spark_session
from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def served(home: Home, python: str = sys.executable) -> Iterator[str]:
    """Run it while the block runs, under some Python; give its address.

    Raises:
        SettingsError: Spark did not start.
    """
    command = [python, "-m", "tests.spark_server", home.root]
    of_cluster = dict.fromkeys(("HADOOP_CONF_DIR", "YARN_CONF_DIR"), str(home.root))  # which a home is to keep out
    log, pipe = home.root / "server.log", subprocess.PIPE
    # Behind the block the server's input is closed, which ends it; Ctrl-C does not, for the tests still say good-bye.
    with (
        log.open("w") as errors,
        subprocess.Popen(  # noqa: S603  # ours
            command,
            cwd=REPOSITORY,
            env=os.environ | of_cluster,
            stdin=pipe,
            stdout=pipe,
            stderr=errors,
            text=True,
            start_new_session=True,
        ) as server,
    ):
        assert server.stdout
        address = server.stdout.readline().strip()
        if not address:
            server.wait()
            raise SettingsError(f"Spark did not start: {log.read_text(encoding='utf-8')[-2000:]}")
        yield address


@contextmanager
def shared(home: Home) -> Iterator[str]:
    """Give the address of the one that all processes of a home share while their blocks run.

    The first to come starts it. It ends it, too, when nobody else is in such a block any more.
    """
    address = home.root / "address"
    with ExitStack() as stack, (home.root / "users").open("w") as users:
        with _alone(home):
            fcntl.flock(users, fcntl.LOCK_SH)
            is_first = not _answers(address)
            if is_first:
                address.write_text(stack.enter_context(served(home)), encoding="utf-8")
        try:
            yield address.read_text(encoding="utf-8")
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            if is_first:
                with _alone(home):  # whoever comes from now on starts another
                    fcntl.flock(users, fcntl.LOCK_EX)
                    address.unlink()
                    stack.close()


def _answers(address: Path) -> bool:
    """Say whether somebody listens there; whoever started it may have been killed."""
    try:
        host, _, port = address.read_text(encoding="utf-8").removeprefix("sc://").rpartition(":")
        socket.create_connection((host, int(port))).close()
    except OSError:
        return False
    return True


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    with (home.root / "starting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _serve(folder: str) -> None:
    """Print where it listens, and run it until the input ends."""
    with spark_session(Home.at(folder), for_minutes=True) as spark:
        print(f"sc://{spark.client._builder.endpoint}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _serve(sys.argv[1])
