"""What the tests share: a home, and its Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.connect.client.retries import DefaultPolicy

from local.home import Home
from tests.connect import connected
from tests.spark_server import shared

if TYPE_CHECKING:
    from collections.abc import Iterator


# Of files that every `make test` runs, those that take longest.
SLOWEST = ("test_killed", "test_resolved", "test_sync", "test_histories")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Home:
    """Give the one of the whole run: of several processes each has a folder of its own, side by side."""
    mine = tmp_path_factory.getbasetemp()
    return Home.at((mine if worker_id == "master" else mine.parent) / "home")


@pytest.fixture(scope="session")
def spark(home: Home, request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    if request.config.getoption("--connect"):
        with connected(home) as session:
            yield session
    else:
        with shared(home) as address:
            session = SparkSession.builder.remote(address).create()
            session.client.set_retry_policies([DefaultPolicy(max_retries=3)])  # not for ten minutes, should it be gone
            yield session
            session.stop()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--connect", action="store_true", help="what takes Spark alone, through databricks-connect")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    """Keep each file's tests in one of the processes, for they share what is made for them.

    What takes longest goes first, so that what is left at the end is shared out evenly.
    With `--connect` what takes Spark alone is all that runs.
    """
    if config.getoption("--connect"):
        items[:] = [item for item in items if "spark" in getattr(item, "fixturenames", ())]
    # At the top are tests of the whole system.
    late = {item: item.path.stem not in SLOWEST or item.get_closest_marker("long") is not None for item in items}
    items.sort(key=lambda item: (late[item], len(item.path.parts)))
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
