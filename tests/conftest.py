"""What tests share: one home, and the one Spark session a process can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.home import Home
from local.session import spark_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home.at(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def spark(home: Home) -> Iterator[SparkSession]:
    with spark_session(home, for_minutes=True) as session:
        yield session


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what needs Spark in one of the processes, for each would start a session of its own."""
    for item in items:
        if "home" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("spark"))
