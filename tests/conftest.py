"""What the tests of one process share: a home, and the one Spark session a process can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.home import Home
from local.session import spark_session
from tests.connect import connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home.at(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def spark(home: Home, request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    through_connect = request.config.getoption("--connect")
    with connected(home) if through_connect else spark_session(home, for_minutes=True) as session:
        yield session


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--connect", action="store_true", help="what takes Spark alone, through databricks-connect")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    """Keep each file's tests in one of the processes, for they share what is made for them; the long ones come first.

    Those are the tests of the whole system, which stand at the top: what is left after them is shared out evenly.
    With `--connect` what takes Spark alone is all that runs.
    """
    if config.getoption("--connect"):
        items[:] = [item for item in items if "spark" in getattr(item, "fixturenames", ())]
    items.sort(key=lambda item: len(item.path.parts))
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
