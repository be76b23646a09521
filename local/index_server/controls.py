"""What a test or a benchmark asks of this server, and nobody of the real one: counts, faults, delayed visibility."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from local.index_server import fields as read
from local.index_server.faults import Faults, read_faults, shown
from local.index_server.fields import Reply
from local.index_server.index import Visibility
from local.index_server.refusals import invalid, not_served

if TYPE_CHECKING:
    from local.index_server.fields import Fields


CONTROL_PATHS: Final = ("/request_counts", "/faults", "/visibility")


class RequestCounts:
    """How often each operation was asked for; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, operation: str) -> None:
        """Count one request."""
        with self._lock:
            self._counts[operation] += 1

    def as_dict(self) -> dict[str, int]:
        """Return the counts so far, by operation name."""
        with self._lock:
            return dict(self._counts)


@dataclass(frozen=True, slots=True)
class Controls:
    """What a server's owner holds in hand, in this process or, with the key, over HTTP."""

    counts: RequestCounts = field(default_factory=RequestCounts)
    faults: Faults = field(default_factory=Faults)
    visibility: Visibility = field(default_factory=Visibility)

    def answer(self, method: str, path: str, fields: Fields) -> Reply:
        """Answer a request for one of ``CONTROL_PATHS``.

        ``GET /request_counts``, ``GET`` and ``PUT /faults``, ``GET`` and ``PUT /visibility``; a PUT replaces.

        Raises:
            Refusal: It asks for anything else (501).
        """
        match method, path:
            case "GET", "/request_counts":
                return Reply(self.counts.as_dict())
            case (("GET" | "PUT"), "/faults"):
                if method == "PUT":
                    _require_only(fields, "faults")
                    self.faults.set(read_faults(fields))
                return Reply({"faults": shown(self.faults.ahead())})
            case (("GET" | "PUT"), "/visibility"):
                if method == "PUT":
                    _require_only(fields, "delay_s")
                    self.set_visibility_delay(fields)
                return Reply({"delay_s": self.visibility.delay_s})
        raise not_served(method, path)

    def set_visibility_delay(self, fields: Fields) -> None:
        """Read and set ``delay_s``."""
        self.visibility.delay_s = read.seconds(fields, "delay_s")


def _require_only(fields: Fields, name: str) -> None:
    """Refuse what is misspelt, which would put things back to how they were in silence."""
    if set(fields) != {name}:
        raise invalid(f"the body must be an object with the one key {name}, got {', '.join(sorted(fields)) or 'none'}")
