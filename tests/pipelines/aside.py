"""The thread beside a sync, without a thread: its work is done when it is given, or when its result is asked for.

Between these two lies every order in which a thread could do it, and each can be played again.
"""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


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
