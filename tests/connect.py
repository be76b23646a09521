"""A session through databricks-connect: of a workspace where one is named, else of Spark on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from local import REPOSITORY
from pipelines.errors import SettingsError
from tests.spark_server import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from local.home import Home

_NAMES_A_WORKSPACE = ("DATABRICKS_HOST", "DATABRICKS_CONFIG_PROFILE")
_PYTHON_THERE = "3.12"  # of serverless environment 4 and of runtime 17


@contextmanager
def connected(home: Home) -> Iterator[SparkSession]:
    """Give a session whose workers can import `pipelines`, while the block runs.

    Args:
        home: where Spark on this machine keeps what it needs.

    Raises:
        SettingsError: this Python cannot send functions to a workspace, or Spark on this machine did not start.
    """
    there = any(os.environ.get(name) for name in _NAMES_A_WORKSPACE)
    with nullcontext(_workspace_session()) if there else _session_here(home) as spark:
        archive = shutil.make_archive(str(home.root / "pipelines"), "zip", REPOSITORY, "pipelines")
        spark.addArtifact(archive, pyfile=True)
        yield spark
        spark.stop()


def _workspace_session() -> SparkSession:
    """Connect to the cluster that is named, else to serverless; workers get what requirements.txt pins."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if python != _PYTHON_THERE:
        raise SettingsError(
            f"these tests run Python {python}, but functions go to a workspace's workers from Python {_PYTHON_THERE}: "
            f"remove .venv, and run make test-connect PYTHON=python{_PYTHON_THERE}"
        )
    from databricks.connect import DatabricksEnv, DatabricksSession  # noqa: PLC0415  # in an environment of its own

    lines = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [pin for line in lines if (pin := line.partition("#")[0].strip())]
    builder = DatabricksSession.builder.withEnvironment(DatabricksEnv().withDependencies(pins))
    cluster_id = os.environ.get("DATABRICKS_CLUSTER_ID")
    return (builder.clusterId(cluster_id) if cluster_id else builder.serverless()).create()


@contextmanager
def _session_here(home: Home) -> Iterator[SparkSession]:
    from databricks.connect import DatabricksSession  # noqa: PLC0415  # as above

    with served(home, str(REPOSITORY / ".venv" / "bin" / "python")) as address:
        yield DatabricksSession.builder.remote(address).create()
