"""A commit is tried again where another one came first, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pyspark.errors import PySparkException

from pipelines.commit import MAX_TRIES, commit
from pipelines.errors import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Iterator


class Failed(PySparkException):
    def __init__(self, condition: str | None) -> None:
        super().__init__("x")
        self._of = condition

    def getCondition(self) -> str | None:  # noqa: N802  # Spark's name
        return self._of


def tries(*failures: str | None, may_write: Iterator[None] | None = None) -> int:
    """Commit, where the first tries fail so; count them."""
    n_tries, ahead = 0, iter(failures)

    def write() -> None:
        nonlocal n_tries
        n_tries += 1
        for condition in ahead:
            raise Failed(condition)

    commit(write, lambda: None if may_write is None else next(may_write))
    return n_tries


def test_what_came_second_is_tried_again() -> None:
    assert tries() == 1
    assert tries("DELTA_CONCURRENT_APPEND", "DELTA_CONCURRENT_DELETE_READ") == 3
    assert tries(*["DELTA_CONCURRENT_APPEND"] * (MAX_TRIES - 1)) == MAX_TRIES


@pytest.mark.parametrize("failures", [["DISK_FULL"], [None], ["DELTA_CONCURRENT_APPEND"] * MAX_TRIES])
def test_what_fails_otherwise_or_every_time_is_an_error(failures: list[str | None]) -> None:
    with pytest.raises(Failed):
        tries(*failures)


def test_it_asks_before_every_try_whether_it_still_may() -> None:
    def once() -> Iterator[None]:
        yield
        raise LeaseLost("over")

    with pytest.raises(LeaseLost):
        tries("DELTA_CONCURRENT_APPEND", may_write=once())
