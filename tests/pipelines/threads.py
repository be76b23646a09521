"""Threads that send, without a thread: when what they are given is done is chosen, and can be played again."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


class Early(Executor):
    """Does it at once."""

    def submit(self, act: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(act(*given, **named))
        except Exception as error:  # noqa: BLE001  # told where the result is asked for, as a thread does
            future.set_exception(error)
        return future


class Late(Executor):
    """Does it when somebody waits for it; never, if nobody does."""

    def submit(self, act: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        class Asked(Future[Any]):
            def result(self, _timeout: float | None = None) -> Any:
                return act(*given, **named)

        return Asked()


def threads(n: int, random: Random) -> Executor:
    """Give one kind of them for each number."""
    return (AnyOrder(random), Early(), Late())[n % 3]


@dataclass
class AnyOrder(Executor):
    """When somebody waits for one, does what was given in a drawn order until that one is done: others may be first."""

    random: Random
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def submit(self, act: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        waiting, random = self.waiting, self.random

        class Asked(Future[Any]):
            def result(self, _timeout: float | None = None) -> Any:
                while not self.done():
                    waiting.pop(random.randrange(len(waiting)))()  # who dies in it takes everybody along
                return super().result()

        future = Asked()
        waiting.append(lambda: future.set_result(act(*given, **named)))
        return future
