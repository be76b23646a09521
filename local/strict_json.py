"""JSON as its standard has it: Python's reader also takes NaN and Infinity."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def strict_json(text: str | bytes, pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Read one JSON value.

    Args:
        text: UTF-8, where it is bytes.
        pairs_hook: Makes an object of its pairs, in place of `dict`.

    Raises:
        ValueError: it is none.
        RecursionError: it nests too deep.
    """
    return json.loads(text, object_pairs_hook=pairs_hook, parse_constant=_refuse_constant)


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse what JSON leaves open: with one key twice, which value counts is anybody's guess."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return fields


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
