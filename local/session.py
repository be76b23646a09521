"""One Spark session with Delta Lake: one JVM for pipeline, sync and tests, reached through Spark Connect.

Spark Connect because Declarative Pipelines exist only there, and because serverless compute on Databricks is
Spark Connect too: what passes here does not lean on the driver's JVM.

Tables are kept by their folders, not by a metastore. The catalog lives in memory, and a session starts by
registering every Delta table it finds in the warehouse; Hive with Derby, which would remember them, costs a
third of the start-up time and allows one process a home.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from local import REPOSITORY
from local.java import find_java
from local.jvm import CONF_DIR, EXECUTOR_OPTIONS, delta_jars, end_jvm, java_options, start_jvm
from pipelines.errors import SettingsError
from pipelines.sql import sql_string

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from local.home import Home

N_CORES = 2  # tasks at a time; more gain little on small tables and cost a model's memory each
MASTER = f"local[{N_CORES}]"

_LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {log}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %c{{1}}: %m%n%ex
"""


@contextmanager
def spark_session(home: Home, *, for_minutes: bool = False, master: str = MASTER) -> Iterator[SparkSession]:
    """Run Spark for one home, with its tables registered, while the block runs. One session at a time a process.

    Args:
        home: where it keeps everything.
        for_minutes: take more of the machine's other cores, to get faster with time.
        master: where tasks run; `local-cluster[2,1,2048]` has two workers with a core and 2 GB each, as processes.

    Raises:
        SettingsError: no Java, or Delta's jars can be neither found nor downloaded.
    """
    spark = _started(home, for_minutes=for_minutes, master=master)
    try:
        yield spark
    finally:
        spark.stop()
        end_jvm()


def register_tables(spark: SparkSession, home: Home) -> None:
    """Tell the catalog of every Delta table in the warehouse.

    A folder without a first commit is what a killed creation leaves; it holds nothing, and Delta would refuse
    to create the table over it.
    """
    for database in sorted(home.warehouse.glob("*.db")):
        schema = database.name.removesuffix(".db")
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS `{schema}`")
        for folder in sorted(database.iterdir()):
            if any((folder / "_delta_log").glob("*.json")):
                # Not `spark.catalog.createTable`, which reads every row. A path, for Spark decodes no URI.
                spark.sql(f"CREATE TABLE `{schema}`.`{folder.name}` USING delta LOCATION {sql_string(str(folder))}")
            elif folder.is_dir():
                shutil.rmtree(folder)


def _started(home: Home, *, for_minutes: bool, master: str) -> SparkSession:
    home.spark.mkdir(parents=True, exist_ok=True)
    defaults, log4j, log = (home.spark / name for name in ("spark-defaults.conf", "log4j2.properties", "start.log"))
    os.environ |= {
        "JAVA_HOME": str(find_java()),
        "SPARK_CONF_DIR": str(CONF_DIR),
        "SPARK_TESTING": "1",  # server and client agree on a free port, not both insist on 15002; Ivy leaves ~/.m2
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": "none",  # which Spark would start to look for data sources written in Python
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    for name in ("SPARK_REMOTE", "HADOOP_CONF_DIR", "YARN_CONF_DIR"):  # a cluster's settings would move the home there
        os.environ.pop(name, None)
    try:
        with _stderr_to(log), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Connect warns that static configuration cannot be changed
            options = f"{java_options(for_minutes=for_minutes)} -Dlog4j2.configurationFile={log4j.as_uri()}"
            configuration = _configuration(home, delta_jars(), options)
            # Static configuration goes through a file, the one place where Connect's server reads it.
            defaults.write_text("".join(f"{key} {value}\n" for key, value in configuration.items()), encoding="utf-8")
            log4j.write_text(_LOG4J.format(log=home.spark / "spark.log"), encoding="utf-8")
            os.environ["PYSPARK_SUBMIT_ARGS"] = f"--properties-file {shlex.quote(str(defaults))} pyspark-shell"
            # With it this JVM would apply many of its rules to every query twice, to see that it makes no difference.
            del os.environ["SPARK_TESTING"]
            with ThreadPoolExecutor(1) as pool:
                started = pool.submit(start_jvm)
                import_module("pyspark.sql.connect.session")  # takes as long as a JVM to start
                started.result()
            os.environ["SPARK_TESTING"] = "1"
            spark: SparkSession = SparkSession.builder.remote(master).getOrCreate()
    except PySparkException as error:
        raise SettingsError(
            f"Spark did not start: its last words are in {log} and {home.spark / 'spark.log'}"
        ) from error
    register_tables(spark, home)
    return spark


def _configuration(home: Home, jars: Sequence[Path], java_options: str) -> dict[str, str]:
    class_path = os.pathsep.join(str(jar) for jar in jars)
    return {
        "spark.driver.extraClassPath": class_path,
        "spark.executor.extraClassPath": class_path,
        "spark.driver.extraJavaOptions": java_options,
        "spark.executor.extraJavaOptions": EXECUTOR_OPTIONS,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.sources.default": "delta",  # a `format=` in a decorator would fail on the second run
        "spark.sql.warehouse.dir": str(home.warehouse),
        "spark.local.dir": str(home.spark / "scratch"),
        # An update commits to every table twice, rows or not: Delta would rewrite a checkpoint each fifth run.
        "spark.databricks.delta.properties.defaults.checkpointInterval": "100",
        "spark.databricks.delta.snapshotPartitions": "1",  # 50 tasks to read a small table's log otherwise
        "spark.sql.shuffle.partitions": str(N_CORES),
        # Hadoop asks `readlink` and `chmod`, some 300 processes a run; plain files do for a home, which one run holds.
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        "spark.delta.logStore.file.impl": "io.delta.storage.LocalLogStore",
        "spark.sql.streaming.checkpointFileManagerClass": (
            "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
        ),
        # A run asks each query once, of a few thousand rows: to compile or re-plan it costs more than it saves.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        # Shuffled rows stay until the JVM collects garbage: queries at the same time share those of Delta's snapshots.
        "spark.sql.connect.shuffleDependency.fileCleanup.enabled": "false",
        "spark.sql.classic.shuffleDependency.fileCleanup.enabled": "false",
        "spark.sql.pipelines.maxFlowRetryAttempts": "0",  # what fails here fails again: say so at once
        # An Arrow batched `udf` over a Delta scan hangs in Spark 4.2.0 (SPARK-58241); `pandas_udf` does not.
        "spark.sql.execution.pythonUDF.arrow.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "2g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.connect.grpc.binding.address": "127.0.0.1",
    }


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
