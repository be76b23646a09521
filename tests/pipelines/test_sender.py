"""Requests brought to an end, against an index that counts what it is sent and fails on demand."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier, Event, Lock
from time import sleep
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import sender as sender_module
from pipelines.errors import VectorIndexError
from pipelines.sender import N_CONCURRENT, Sender

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(slots=True)
class Index:
    """Takes numbers; refuses bad ones and requests of more than `most`; at first it is busy `n_failures` times."""

    bad: frozenset[int] = frozenset()
    most: int = 1000
    n_failures: int = 0
    taken: Counter[int] = field(default_factory=Counter)
    n_requests: int = 0
    lock: Lock = field(default_factory=Lock)

    def post(self, batch: Sequence[int]) -> None:
        with self.lock:
            self.n_requests += 1
            if self.n_failures:
                self.n_failures -= 1
                raise VectorIndexError("busy", status=503, retryable=True)
            if len(batch) > self.most:
                raise VectorIndexError("too large", status=413, refused=True)
            if self.bad & set(batch):
                raise VectorIndexError("not these", status=400, refused=True)
            self.taken.update(batch)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "_FIRST_WAIT_S", 0.001)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 20), max_size=6),
    st.frozensets(st.integers(0, 60)),
    st.integers(1, 20),
    st.integers(0, 5),
)
def test_every_item_is_taken_once_or_told(sizes: list[int], bad: frozenset[int], most: int, n_failures: int) -> None:
    numbers = iter(range(sum(sizes)))
    batches = [[next(numbers) for _ in range(size)] for size in sizes]
    index, sender = Index(bad, most, n_failures), Sender()
    refused = sender.send(batches, index.post)
    told = [item for item, _ in refused]
    assert sorted([*told, *index.taken.elements()]) == list(range(sum(sizes)))
    assert set(told) <= bad
    assert sender.n_requests == index.n_requests
    assert sender.n_retries == n_failures - index.n_failures
    assert {error.status for _, error in refused} <= {400}


def test_one_bad_item_of_a_thousand_costs_twenty_requests() -> None:
    index, sender = Index(frozenset({613})), Sender()
    assert [item for item, _ in sender.send([range(1000)], index.post)] == [613]
    assert index.n_requests == 1 + 2 * 10


def test_an_item_too_large_by_itself_is_told() -> None:
    index = Index(most=0)
    assert [(item, error.status) for item, error in Sender().send([[7]], index.post)] == [(7, 413)]


def test_what_is_refused_altogether_is_not_asked_for_one_by_one_for_ever() -> None:
    index = Index(frozenset(range(5_000)))
    with pytest.raises(VectorIndexError, match="not these"):
        Sender().send([range(start, start + 1000) for start in range(0, 5_000, 1000)], index.post)
    assert index.n_requests < 2_500


def test_the_budget_of_waiting_is_for_all_requests_together() -> None:
    index, sender = Index(), Sender(budget_s=0.0025)
    for _ in range(2):  # each waits for a millisecond
        index.n_failures = 1
        assert sender.send([[1]], index.post) == []
    index.n_failures = 1
    with pytest.raises(VectorIndexError, match="busy"):
        sender.send([[1]], index.post)
    assert (sender.n_retries, sender.n_requests, index.n_requests) == (2, 5, 5)


def test_after_a_failure_nothing_is_sent_and_everybody_is_told_of_it() -> None:
    index, sender = Index(n_failures=10**6), Sender(budget_s=0.02)
    with pytest.raises(VectorIndexError, match="busy"):
        sender.send([[number] for number in range(4)], index.post)
    assert 1 <= sender.n_retries <= 20
    with pytest.raises(VectorIndexError, match="busy") as caught:
        sender.send([[1]], index.post)
    assert caught.value.status == 503
    with pytest.raises(VectorIndexError, match="no request is made any more: busy"):
        sender.ask(lambda: index.post([1]))
    assert sender.n_requests == index.n_requests


@dataclass(slots=True)
class Crowd(Index):
    """Answers when as many requests are there as may be at a time, and notes how many there were at most."""

    n_there: int = 0
    most_there: int = 0
    full: Barrier = field(default_factory=lambda: Barrier(N_CONCURRENT, timeout=60))

    def post(self, batch: Sequence[int]) -> None:
        with self.lock:
            self.taken.update(batch)
            self.n_there += 1
            self.most_there = max(self.most_there, self.n_there)
        self.full.wait()
        with self.lock:
            self.n_there -= 1


def test_however_many_threads_send_the_index_gets_so_many_requests_at_a_time() -> None:
    index, sender, n = Crowd(), Sender(), 12 * N_CONCURRENT
    with ThreadPoolExecutor(3) as pool:
        sent = [pool.submit(sender.send, [[number] for number in range(n)[own::3]], index.post) for own in range(3)]
        assert [it.result() for it in sent] == [[]] * 3
    assert index.taken == Counter(range(n))
    assert index.most_there == N_CONCURRENT


def test_who_sends_in_turn_begins_when_the_others_requests_are_all_out() -> None:
    index, sender, asked = Index(), Sender(), list[int]()

    def batches(whose: int) -> Iterator[list[int]]:
        for _ in range(30):
            asked.append(whose)
            sleep(0.001)  # so that the other would come between
            yield [whose]

    with ThreadPoolExecutor(2) as pool:
        for whose in range(2):
            pool.submit(sender.send, batches(whose), index.post, in_turn=True)
    assert index.taken == {0: 30, 1: 30}
    assert asked in ([0] * 30 + [1] * 30, [1] * 30 + [0] * 30)


def test_where_one_thread_failed_another_is_told_why_and_what_it_did_not_send_is_not_refused() -> None:
    denied, sender = Event(), Sender()

    def busy(_: Sequence[int]) -> None:
        denied.wait()
        raise VectorIndexError("busy", status=503, retryable=True)

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(sender.send, [[number] for number in range(3 * N_CONCURRENT)], busy)
        while sender.n_requests < N_CONCURRENT:
            sleep(0.001)
        sender.stop(VectorIndexError("denied", status=401, refused=True))
        denied.set()
        with pytest.raises(VectorIndexError, match="denied"):
            other.result()
    assert sender.n_requests == N_CONCURRENT


def test_a_failure_that_does_not_pass_stops_what_has_not_started() -> None:
    class Denied(Index):
        def post(self, batch: Sequence[int]) -> None:
            with self.lock:
                self.n_requests += 1
            raise VectorIndexError(f"denied {batch[0]}", status=401)

    index = Denied()
    with pytest.raises(VectorIndexError, match="denied"):
        Sender().send([[number] for number in range(500)], index.post)
    assert index.n_requests <= N_CONCURRENT
