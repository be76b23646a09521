"""Requests, each brought to an end: answered, refused record by record, or worth an error.

Three kinds of failure, three answers. What may pass (a throttled, broken or unanswered request) is sent again until a
budget of waiting is spent: a write that was taken after all does no harm twice. What is too large or
refused for good is halved, down to the one record that is at fault. Everything else concerns all records, and stops.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from itertools import count
from threading import Event, Lock, Semaphore
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipelines.errors import VectorIndexError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

N_CONCURRENT: Final = 8  # requests at a time, however many threads send
RETRY_BUDGET_S: Final = 300.0
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 30.0
_MOST_REFUSED: Final = 1_000  # of one `send`; more have a cause in common, and each costs two requests to find


Item = TypeVar("Item")
Answer = TypeVar("Answer")
Refused = tuple[Item, VectorIndexError]


class Sender:
    """Sends batches, and counts what that took. Several threads may use it; after a failure it sends nothing more.

    Args:
        may_write: asked before every request; raises if none may be made any more.
        budget_s: how long all requests together may wait to be sent again.
    """

    def __init__(self, may_write: Callable[[], None] = lambda: None, budget_s: float = RETRY_BUDGET_S) -> None:
        self._may_write = may_write
        self.n_requests = 0
        self.n_retries = 0
        self._left_s = budget_s
        self._lock = Lock()
        self._free = Semaphore(N_CONCURRENT)
        self._turn = Lock()
        self._stopped = Event()
        self._failure: BaseException | None = None  # that stopped it

    def send(
        self, batches: Iterable[Sequence[Item]], post: Callable[[Sequence[Item]], None], *, in_turn: bool = False
    ) -> list[Refused[Item]]:
        """Send every batch, in any order; return the items that were refused for good, each with the reason.

        Args:
            batches: each one request; asked for the next when there is room for one more.
            post: sends one; raises VectorIndexError.
            in_turn: begin when the last requests of another such call are out, so that one ends before the other.

        Raises:
            VectorIndexError: it concerns all items, or so many that it may as well, or the budget is spent. Which of
                the others were taken is not known. Once one call failed, every other raises the same.
        """
        n_refused, sent = count(1), list[Future[list[Refused[Item]]]]()
        with ThreadPoolExecutor(N_CONCURRENT) as pool:
            try:
                with self._turn if in_turn else nullcontext():
                    for batch in batches:
                        self._free.acquire()
                        sent.append(pool.submit(self._deliver, batch, post, n_refused))
                        sent[-1].add_done_callback(self._end)
                        self._go_on()
                return [refused for future in sent for refused in future.result()]
            except BaseException as error:  # noqa: BLE001  # raised, or the one that it comes of
                failure = self.stop(error)
                raise failure from failure.__cause__

    def stop(self, failure: BaseException) -> BaseException:
        """Make no request any more, and wait for none to be sent again, whoever asks; return why: the first failure."""
        with self._lock:
            self._failure = self._failure or failure
        self._stopped.set()
        return self._failure

    def ask(
        self, request: Callable[[], Answer], may_ask: Callable[[], None] = lambda: None, *, patient: bool = True
    ) -> Answer:
        """Make one request, again while it fails in a way that passes and the budget lasts.

        Args:
            request: makes it; raises VectorIndexError.
            may_ask: asked before every try.
            patient: try again at all.

        Raises:
            VectorIndexError: it failed for good, or the budget is spent.
        """
        wait_s = _FIRST_WAIT_S
        while True:
            self._go_on()
            may_ask()
            with self._lock:
                self.n_requests += 1
            try:
                return request()
            except VectorIndexError as error:
                if not patient or not error.retryable or self._stopped.is_set() or not self._wait(wait_s):
                    raise
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _go_on(self) -> None:
        if self._failure is not None:
            raise VectorIndexError(f"no request is made any more: {self._failure}")

    def _end(self, delivery: Future[Any]) -> None:
        if error := delivery.exception():
            self.stop(error)
        self._free.release()

    def _deliver(
        self, batch: Sequence[Item], post: Callable[[Sequence[Item]], None], n_refused: Iterator[int]
    ) -> list[Refused[Item]]:
        try:
            self.ask(lambda: post(batch), self._may_write)
        except VectorIndexError as error:
            if not error.refused:
                raise
            if len(batch) > 1:
                half = len(batch) // 2
                return self._deliver(batch[:half], post, n_refused) + self._deliver(batch[half:], post, n_refused)
            if next(n_refused) > _MOST_REFUSED:
                raise
            return [(batch[0], error)]
        return []

    def _wait(self, wait_s: float) -> bool:
        """Wait before a request is sent again; say no if the budget does not allow it."""
        with self._lock:
            if self._left_s < wait_s:
                return False
            self._left_s -= wait_s
            self.n_retries += 1
        self._stopped.wait(wait_s)
        return True
