"""A write of the state that the disk refuses, before or after it took effect, costs a sync and nothing else."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines import lease
from pipelines.errors import LeaseLost, SyncRefused
from pipelines.lease import Lease
from pipelines.state import State
from tests.pipelines.scene import Version, desired
from tests.pipelines.service import Service
from tests.pipelines.test_sync_crashes import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.pipelines.scene import Scene

REFUSALS = pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS], ids=["no space left", "read-only"])
MOMENTS = pytest.mark.parametrize("took_effect", [False, True], ids=["before the write", "after it took effect"])


class Disk:
    """Refuses one write of those that it is asked for."""

    def __init__(self, number: int, which: int, *, took_effect: bool) -> None:
        self._error = OSError(number, os.strerror(number))
        self._left, self._took_effect = which, took_effect

    @contextmanager
    def write(self) -> Iterator[None]:
        refuses, self._left = self._left == 0, self._left - 1
        if refuses and not self._took_effect:
            raise self._error
        yield
        if refuses:
            raise self._error


class OnDisk(Service):
    """A service whose state lies on such a disk."""

    disk = Disk(0, -1, took_effect=False)  # refuses nothing

    def append(self, documents: Sequence[Mapping[str, Any]]) -> None:
        with self.disk.write():
            super().append(documents)

    def bury(self, refused: Sequence[Mapping[str, Any]], alive: Iterable[str]) -> None:
        with self.disk.write():
            super().bury(refused, alive)


@REFUSALS
@MOMENTS
@pytest.mark.parametrize("then", ["abcd", "axcdef", "wx", ""])
def test_after_any_write_that_the_disk_refused_the_next_sync_converges(
    number: int, then: str, *, took_effect: bool
) -> None:
    """A text is edited, grows and has a sentence refused; `then` is what comes next."""
    n_writes = 0
    while True:
        service = OnDisk(refuses="f")
        run({"p": "abcd", "q": "ab"}, service, 10)
        service.disk = Disk(number, n_writes, took_effect=took_effect)
        try:
            run({"p": "axcdef"}, service, 3)
        except OSError:
            service.check()
        else:
            break
        run({"p": then} if then else {}, service, 3)
        service.check()
        assert service.dead.keys() == ({"p#5"} if "f" in then else set())
        assert service.texts == {f"p#{i}": text for i, text in enumerate(then) if text != "f"}
        n_writes += 1
    assert n_writes == 4 * 2  # before, between, during and after two windows; dead letters, and what is known


@pytest.mark.long
def test_a_real_sync_says_what_the_disk_refused_and_the_next_one_converges(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Version("p", 1, ("a", "b", "c")), Version("q", 1, ("d",))
    last = (replace(first, version=2, sentences=("a", "x")), replace(second, version=2, sentences=()))
    scene.prepare()
    scene.log(first, second)
    scene.sync()
    scene.log(*last)
    append, failures = State.append, ((errno.ENOSPC, 0), (errno.EROFS, 1))  # the intent; what is done
    for number, which in failures:
        disk = Disk(number, which, took_effect=False)

        def append_on_disk(state: State, documents: Sequence[Mapping[str, Any]], disk: Disk = disk) -> None:
            with disk.write():
                append(state, documents)

        monkeypatch.setattr(State, "append", append_on_disk)
        with pytest.raises(OSError, match=os.strerror(number)):
            scene.sync()
    monkeypatch.setattr(State, "append", append)
    another = iter([None, SyncRefused("run another writes")])  # it looks when it claims, and once its time is over

    def look(_lease: Lease) -> None:
        if (found := next(another)) is not None:
            raise found

    with monkeypatch.context() as patch:
        patch.setattr(lease, "LEASE_S", 0.0)
        patch.setattr(Lease, "_look", look)
        with pytest.raises(LeaseLost, match="run another writes"):
            scene.sync()
    report = scene.sync()
    assert (report.n_upserted, report.n_deleted) == (1, 2)  # once more: nothing was known to be done
    assert scene.contents() == desired(*last)
    outcomes = [(row.outcome, row.error) for row in scene.runs()]
    outcome, error = outcomes.pop(3)
    assert (outcome, error[:29]) == ("failed", "this run may no longer write ")
    refused = [("failed", f"[Errno {number}] {os.strerror(number)}") for number, _ in failures]
    assert outcomes == [("succeeded", None), *refused, ("succeeded", None)]
    assert scene.sync().n_changed == 0
