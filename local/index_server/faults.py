"""Faults on demand: what a service on the other side of a network does now and then, done when a test asks for it."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from local.index_server import fields as read
from local.index_server.refusals import STATUSES, invalid
from local.index_server.routes import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.index_server.fields import Fields

ANY: Final = "*"
_ENDS: Final = ("answer", "reset", "half")
_MAX_TIMES: Final = 10**9


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next requests of an operation.

    ``Fault("upsert", status=429, retry_after_s=1, n_times=2)`` refuses two upserts, and then serves them.
    """

    operation: str = ANY
    """The operation's name as ``request_counts`` has it, or "*" for each."""
    n_times: int | None = 1
    """How many requests it meets; None for all, until the faults are replaced."""
    n_before: int = 0
    """How many requests of the operation pass first."""
    delay_s: float = 0.0
    """Seconds that a request waits before anything is done."""
    status: int | None = None
    """HTTP status to answer with instead of the operation's own; None for its own."""
    retry_after_s: int | None = None
    """Seconds in the header ``Retry-After`` of that answer."""
    applied: bool = False
    """The operation is done before it is answered with ``status``, or its connection is cut."""
    end: str = "answer"
    """"answer"; "reset" the connection without one; "half" of the answer's body, then the end of the connection."""

    def __post_init__(self) -> None:
        """Refuse a fault that could never do what it says."""
        wrong = (
            (self.operation != ANY and self.operation not in OPERATIONS, "operation", f"* or {', '.join(OPERATIONS)}"),
            (self.status is not None and self.status not in STATUSES, "status", ", ".join(map(str, sorted(STATUSES)))),
            (self.end not in _ENDS, "end", ", ".join(_ENDS)),
            (self.n_times is not None and self.n_times < 1, "n_times", "1 or more, or none for ever"),
            (self.n_before < 0, "n_before", "0 or more"),
            (not 0 <= self.delay_s <= read.MAX_SECONDS, "delay_s", f"0 to {read.MAX_SECONDS}"),
            (self.retry_after_s is not None and self.status is None, "retry_after_s", "none without a status"),
        )
        for is_wrong, name, allowed in wrong:
            if is_wrong:
                raise invalid(f"{name} of a fault is {getattr(self, name)!r:.40}; allowed is {allowed}")

    @property
    def runs_operation(self) -> bool:
        """Whether the operation is done at all."""
        return self.applied or self.end == "half" or (self.status is None and self.end == "answer")


class Faults:
    """The faults a server has ahead of it; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead: list[Fault] = []

    def set(self, faults: Iterable[Fault]) -> None:
        """Replace all faults; none ends them."""
        ahead = list(faults)
        with self._lock:
            self._ahead = ahead

    def ahead(self) -> list[Fault]:
        """Return the faults that have not come to their end."""
        with self._lock:
            return list(self._ahead)

    def take(self, operation: str) -> Fault:
        """Return what happens to this request: the first fault that meets it, on top of all plain delays.

        A fault without ``status`` or ``end`` only delays; such ones add up, and let a further fault meet the request.
        """
        delay_s, met = 0.0, None
        with self._lock:
            left = []
            for fault in self._ahead:
                only_delays = fault.status is None and fault.end == "answer"
                if fault.operation not in (ANY, operation):
                    left.append(fault)
                elif fault.n_before:
                    left.append(replace(fault, n_before=fault.n_before - 1))
                elif met and not only_delays:
                    left.append(fault)
                else:
                    delay_s += fault.delay_s
                    met = met if only_delays else fault
                    left += [] if fault.n_times == 1 else [_once_less(fault)]
            self._ahead = left
        return replace(met or Fault(), delay_s=min(delay_s, read.MAX_SECONDS))


def _once_less(fault: Fault) -> Fault:
    return fault if fault.n_times is None else replace(fault, n_times=fault.n_times - 1)


def shown(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """Return faults as JSON has them."""
    return [asdict(fault) for fault in faults]


def read_faults(fields: Fields) -> list[Fault]:
    """Read the faults of a request: the list ``faults`` of objects with the fields of ``Fault``."""
    return [_read_fault(fault) for fault in read.items(fields, "faults")]


def _read_fault(fault: object) -> Fault:
    known = set(Fault.__dataclass_fields__)
    if not isinstance(fault, dict) or set(fault) - known:
        raise invalid(f"A fault must be an object with some of {', '.join(sorted(known))}, got {fault!r:.200}")
    forever = fault.get("n_times", 1) is None
    return Fault(
        operation=read.text(fault, "operation", ANY),
        n_times=None if forever else read.integer(fault, "n_times", default=1, low=1, high=_MAX_TIMES),
        n_before=read.integer(fault, "n_before", default=0, low=0, high=_MAX_TIMES),
        delay_s=read.seconds(fault, "delay_s"),
        status=_optional(fault, "status"),
        retry_after_s=_optional(fault, "retry_after_s"),
        applied=read.flag(fault, "applied"),
        end=read.text(fault, "end", "answer"),
    )


def _optional(fault: Fields, name: str) -> int | None:
    return None if fault.get(name) is None else read.integer(fault, name, low=0, high=_MAX_TIMES)
