"""Read a request's fields, and write an operation's answer.

An operation sees one mapping of fields, whether they came in the path, the query string (as text) or a JSON body.
Null and absent mean the same, as in the service's protocol buffers.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from local.index_server.refusals import invalid

DEFAULT_NAMESPACE: Final = "__default__"
MAX_NAMESPACE_CHARS: Final = 512
MAX_SECONDS: Final = 600

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation answers."""

    body: Mapping[str, Any]
    """The JSON object sent."""
    status: int = 200
    """The HTTP status."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers beyond those of every answer."""


def text(fields: Fields, name: str, default: str = "") -> str:
    """Return a string field."""
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string, got {_json_type(value)}")
    return value


def integer(fields: Fields, name: str, *, default: int | None = None, low: int, high: int) -> int:
    """Return a whole number within ``low..high``, both included; without a default the field is required."""
    value = fields.get(name)
    if value is None:
        value = default
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid(f"{name} must be a whole number from {low} to {high}, got {value!r:.40}")
    return value


def seconds(fields: Fields, name: str) -> float:
    """Return a duration in seconds, 0 by default."""
    value = fields.get(name)
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MAX_SECONDS:
        raise invalid(f"{name} must be a number from 0 to {MAX_SECONDS}, got {value!r:.40}")
    return float(value)


def flag(fields: Fields, name: str) -> bool:
    """Return a boolean field, false by default."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"{name} must be true or false, got {_json_type(value)}")
    return bool(value)


def mapping(fields: Fields, name: str) -> dict[str, Any] | None:
    """Return an object field, or None where it is absent."""
    value = fields.get(name)
    if value is not None and not isinstance(value, dict):
        raise invalid(f"{name} must be an object, got {_json_type(value)}")
    return value


def items(fields: Fields, name: str) -> list[Any]:
    """Return a list field, empty by default."""
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid(f"{name} must be a list, got {_json_type(value)}")
    return value


def namespace(fields: Fields, name: str = "namespace") -> str:
    """Return the namespace a request addresses: absent and "" are both ``__default__``."""
    value = text(fields, name) or DEFAULT_NAMESPACE
    if len(value) > MAX_NAMESPACE_CHARS or not value.isascii() or "\0" in value:
        raise invalid(f"{name} must be at most {MAX_NAMESPACE_CHARS} ASCII characters without NUL, got {value!r:.80}")
    return value


def page_start(fields: Fields) -> str:
    """Return the key after which a page starts, "" for the first page."""
    token = text(fields, "paginationToken")
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise invalid(f"Invalid pagination token {token!r:.80}: pass on the one from the page before") from None


def page_body(last: str, *, more: bool) -> dict[str, Any]:
    """Return the ``pagination`` part of an answer whose page ends with the key ``last``; empty on the last page."""
    return {"pagination": {"next": base64.urlsafe_b64encode(last.encode("ascii")).decode("ascii")}} if more else {}


def _json_type(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return names.get(type(value), "a number")
