"""What Spark's JVM runs with: Delta's jars, and an archive of the classes that a run loads.

A run with little to do is a cold JVM loading thirty thousand classes. Java can map them from an archive instead of
parsing and checking each (JEP 350, "Dynamic CDS Archives"); the first run writes it when it ends. The archive fits
one class path only, so everything on it has the same name in every run, and none of it lies in a home.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway

if TYPE_CHECKING:
    from py4j.java_gateway import JavaGateway

DELTA_PACKAGE = "io.delta:delta-spark_4.2_2.13:4.4.0"
# What delta-spark asks for and Spark has already, in versions that fit it better.
_SHIPPED_WITH_SPARK = (
    "com.fasterxml.jackson.core:*",
    "com.fasterxml.jackson.datatype:*",
    "com.github.luben:*",
    "commons-logging:*",
    "commons-pool:*",
    "io.airlift:*",
    "org.apache.hadoop:*",
    "org.apache.logging.log4j:*",
    "org.apache.parquet:*",
    "org.roaringbitmap:*",
    "org.slf4j:*",
    "org.xerial.snappy:*",
)
_CACHE = Path(sys.prefix) / "ivy"  # beside the packages: made once for every home
CONF_DIR = _CACHE / "conf"  # on Spark's class path, so it stays empty: an archive fits no folder with files
_EXIT_LIMIT_S = 120.0


def delta_jars() -> list[Path]:
    """Return Delta's jars, downloaded at the first call by a JVM that does only that."""
    fetched = _CACHE / DELTA_PACKAGE.replace(":", "_")
    if not fetched.exists():
        CONF_DIR.mkdir(parents=True, exist_ok=True)
        with (_CACHE / "lock").open("w") as lock:  # two processes would write into each other's downloads
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not fetched.exists():
                wanted = SparkConf(loadDefaults=False)
                wanted.set("spark.jars.packages", DELTA_PACKAGE)
                wanted.set("spark.jars.excludes", ",".join(_SHIPPED_WITH_SPARK))
                wanted.set("spark.jars.ivy", str(_CACHE))
                _end(_launched(wanted))
                fetched.touch()
    return sorted((_CACHE / "jars").glob("*.jar"))


# To compile is most of a JVM's work here, for a run plans many small queries and each once. So there is room for all
# the code it makes, past which it would throw code away and begin again (48 MB by default with the quick
# compiler alone; the tests' ten minutes fill 256), and few collections.
_OPTIONS = "-XX:ReservedCodeCacheSize=512m -XX:+UseSerialGC -Xms1g -Xmn640m"
_FOR_SECONDS = "-XX:TieredStopAtLevel=1"  # the quick compiler alone
EXECUTOR_OPTIONS = f"{_FOR_SECONDS} -XX:+UseSerialGC"  # of workers that are processes: half of the time they take else
# The optimising one too, from six times as many calls on as is Java's default.
_FOR_MINUTES = (
    "-XX:Tier4InvocationThreshold=30000 -XX:Tier4MinInvocationThreshold=4000 "
    "-XX:Tier4CompileThreshold=90000 -XX:Tier4BackEdgeThreshold=240000"
)


def java_options(*, for_minutes: bool) -> str:
    """Return the JVM's options: the archive of classes is read, or written at the end where there is none.

    With `for_minutes` none is written: that takes some 20 seconds, to save as many at each later start.
    """
    archive = _archive()
    writes = not for_minutes and not archive.exists()
    use = f"-XX:ArchiveClassesAtExit={_draft(archive)}" if writes else f"-XX:SharedArchiveFile={archive}"
    # An archive that does not fit is a warning on our standard output, so the JVM's own log is off.
    return f'{_FOR_MINUTES if for_minutes else _FOR_SECONDS} {_OPTIONS} -Xlog:disable "{use}"'


def start_jvm() -> None:
    """Start this process's JVM, the one that Spark will use."""
    SparkContext._gateway = _launched(SparkConf(loadDefaults=False))  # noqa: SLF001  # the one handle there is
    SparkContext._jvm = SparkContext._gateway.jvm  # noqa: SLF001


def end_jvm() -> None:
    """End this process's JVM, and keep the archive it writes when it ends."""
    gateway = SparkContext._gateway  # noqa: SLF001
    if gateway is None:
        return
    _end(gateway)
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001
    archive = _archive()
    if _draft(archive).exists():
        _draft(archive).replace(archive)
        for leftover in set(_CACHE.glob(f"{archive.stem}.*")) - {archive}:  # of runs that were killed
            leftover.unlink(missing_ok=True)


def _launched(configuration: SparkConf) -> JavaGateway:
    gateway: JavaGateway = launch_gateway(configuration)  # type: ignore[no-untyped-call]  # Spark's own
    return gateway


def _end(gateway: JavaGateway) -> None:
    gateway.shutdown()
    gateway.proc.stdin.close()  # what its JVM waits for
    with suppress(subprocess.TimeoutExpired):
        gateway.proc.wait(_EXIT_LIMIT_S)


def _archive() -> Path:
    runtime = Path(os.environ["JAVA_HOME"]) / "release"
    parts = (runtime.read_text(encoding="utf-8") if runtime.exists() else "", version("pyspark"), DELTA_PACKAGE)
    return _CACHE / f"classes-{hashlib.sha256(repr(parts).encode()).hexdigest()[:8]}.jsa"


def _draft(archive: Path) -> Path:
    return archive.with_suffix(f".{os.getpid()}")
