"""One Spark session with Delta Lake: one JVM for pipeline, sync and tests, reached through Spark Connect.

Spark Connect because Declarative Pipelines exist only there, and because serverless compute on Databricks is
Spark Connect too: what passes here does not lean on the driver's JVM.

Tables are kept by their folders, not by a metastore. The catalog lives in memory, and a session starts by
registering every Delta table it finds in the warehouse; Hive with Derby, which would remember them, costs a
third of the start-up time and allows one process a home.
"""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local.java import find_java
from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from local.home import Home

N_CORES = 2  # tasks at a time; more gain little on small tables and cost a model's memory each
DELTA_PACKAGE = "io.delta:delta-spark_4.2_2.13:4.4.0"
REPOSITORY = Path(__file__).resolve().parent.parent
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

_LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {log}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %c{{1}}: %m%n%ex
"""


def start_session(home: Home) -> SparkSession:
    """Start Spark for one home, with its tables registered. One session a process.

    Static configuration goes through spark-defaults.conf, the one place where Connect's server reads it.

    Raises:
        SettingsError: no Java, or Delta's jars can be neither found nor downloaded.
    """
    os.environ["JAVA_HOME"] = str(find_java())
    configuration = _configuration(home)
    home.spark.mkdir(parents=True, exist_ok=True)
    defaults = "".join(f"{key} {value}\n" for key, value in configuration.items())
    (home.spark / "spark-defaults.conf").write_text(defaults, encoding="utf-8")
    (home.spark / "log4j2.properties").write_text(_LOG4J.format(log=home.spark / "spark.log"), encoding="utf-8")
    os.environ |= {
        "SPARK_CONF_DIR": str(home.spark),
        "SPARK_TESTING": "1",  # makes server and client agree on a free port; without it both insist on 15002
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    os.environ.pop("SPARK_REMOTE", None)

    from pyspark.errors import PySparkException  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415  # reads the environment that was just set

    log = home.spark / "start.log"
    try:
        with _stderr_to(log), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Connect warns that static configuration cannot be changed
            spark: SparkSession = SparkSession.builder.remote(f"local[{N_CORES}]").getOrCreate()
    except PySparkException as error:
        raise SettingsError(
            f"Spark did not start: its last words are in {log} and {home.spark / 'spark.log'}"
        ) from error
    _keep_delta_jars()
    _register_tables(spark, home)
    return spark


def _configuration(home: Home) -> dict[str, str]:
    return {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.sources.default": "delta",  # a `format=` in a decorator would fail on the second run
        "spark.sql.warehouse.dir": str(home.warehouse),
        "spark.local.dir": str(home.spark / "scratch"),
        "spark.databricks.delta.snapshotPartitions": "1",  # 50 tasks to read a small table's log otherwise
        "spark.sql.shuffle.partitions": str(N_CORES),
        # An Arrow batched `udf` over a Delta scan hangs in Spark 4.2.0 (SPARK-58241); `pandas_udf` does not.
        "spark.sql.execution.pythonUDF.arrow.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "2g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        # A run lives for seconds: the optimising compiler would take a core from the model and never earn it back.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    } | _delta_jars()


def _delta_jars() -> dict[str, str]:
    """Where Spark finds Delta: a download into the virtual environment the first time, its files from then on."""
    ivy = Path(sys.prefix) / "ivy"
    if (ivy / DELTA_PACKAGE.replace(":", "_")).exists():
        return {"spark.jars": ",".join(str(jar) for jar in sorted((ivy / "jars").glob("*.jar")))}
    return {
        "spark.jars.packages": DELTA_PACKAGE,
        "spark.jars.excludes": ",".join(_SHIPPED_WITH_SPARK),
        "spark.jars.ivy": str(ivy),
    }


def _keep_delta_jars() -> None:
    (Path(sys.prefix) / "ivy" / DELTA_PACKAGE.replace(":", "_")).touch()


@contextmanager
def _stderr_to(log: Path) -> Iterator[None]:
    """Send what this process and the JVM it starts write to stderr into a file; the JVM keeps to it for life."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)


def _register_tables(spark: SparkSession, home: Home) -> None:
    """Tell the catalog of every Delta table in the warehouse.

    A folder without a first commit is what a killed creation leaves; it holds nothing, and Delta would refuse
    to create the table over it.
    """
    for folder in sorted(home.warehouse.glob("*.db/*")):
        schema = folder.parent.name.removesuffix(".db")
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        if any((folder / "_delta_log").glob("*.json")):
            spark.sql(f"CREATE TABLE {schema}.{folder.name} USING delta LOCATION '{folder.as_uri()}'")
        else:
            shutil.rmtree(folder)
