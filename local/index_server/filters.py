"""Pinecone's metadata filter language, compiled to a predicate.

The distinctions that bite:

- A record **without the key** matches neither ``$ne`` nor ``$nin`` (only ``{"$exists": false}``). In MongoDB, whose
  syntax this is, it matches both. Observed against the service in 2024 (deepset-ai/haystack-core-integrations#590)
  and in 2026 (n8n-io/n8n#33758); the documentation is silent.
- A **list of strings** matches ``$eq`` and ``$in`` if any member does, and ``$ne`` and ``$nin`` if none does.
- **Types never mix**: 1 equals neither "1" nor true. ``$gt``, ``$gte``, ``$lt`` and ``$lte`` order numbers only.
- **Numbers are doubles**, on both sides: 9007199254740993 equals 9007199254740992.
- ``{"a": 1, "b": 2}`` and ``{"a": {"$gt": 1, "$lt": 5}}`` mean "and"; ``{"a": 1}`` means ``$eq``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard

from local.index_server.refusals import invalid

Metadata = dict[str, Any]
Predicate = Callable[[Metadata], bool]

MAX_DEPTH: Final = 32

_ORDER: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
_NEGATED: Final = {"$ne": "$eq", "$nin": "$in"}
_OPERATORS: Final = ("$eq", "$ne", *_ORDER, "$in", "$nin", "$exists")


def compile_filter(node: object) -> Predicate:
    """Compile a filter as a client sends it.

    Args:
        node: The decoded JSON; an empty object matches every record.

    Returns:
        A predicate over a record's metadata. It never raises.

    Raises:
        Refusal: The filter is malformed (400).
    """
    return _compile(node, depth=0)


def _compile(node: object, depth: int) -> Predicate:
    if not isinstance(node, dict):
        raise invalid(f"Invalid filter: expected an object, got {node!r:.80}")
    if depth > MAX_DEPTH:
        raise invalid(f"Invalid filter: nested more than {MAX_DEPTH} levels deep")
    clauses = []
    for key, value in node.items():
        if key in ("$and", "$or"):
            if not isinstance(value, list) or not value:
                raise invalid(f"Invalid filter: {key} takes a list of one or more filters, got {value!r:.80}")
            parts = [_compile(part, depth + 1) for part in value]
            clauses.append(_every(parts) if key == "$and" else _any(parts))
        elif key.startswith("$"):
            raise invalid(f"Invalid filter: {key!r:.80} stands where a field name belongs; only $and and $or may")
        elif isinstance(value, dict):
            if not value:
                raise invalid(f"Invalid filter: field {key!r:.80} has no operator; one of {', '.join(_OPERATORS)}")
            clauses.extend(_condition(key, name, operand) for name, operand in value.items())
        else:
            clauses.append(_condition(key, "$eq", value))
    return clauses[0] if len(clauses) == 1 else _every(clauses)


def _every(parts: list[Predicate]) -> Predicate:
    def matches(metadata: Metadata) -> bool:
        for part in parts:  # noqa: SIM110  # a generator costs more than the condition, and this runs for every record
            if not part(metadata):
                return False
        return True

    return matches


def _any(parts: list[Predicate]) -> Predicate:
    def matches(metadata: Metadata) -> bool:
        for part in parts:  # noqa: SIM110  # as above
            if part(metadata):
                return True
        return False

    return matches


def _condition(key: str, name: str, operand: Any) -> Predicate:
    if name in _NEGATED:
        positive = _condition(key, _NEGATED[name], operand)
        return lambda metadata: key in metadata and not positive(metadata)
    if name == "$exists":
        if not isinstance(operand, bool):
            raise invalid(f"Invalid filter: $exists takes true or false, got {operand!r:.80} for field {key!r:.80}")
        return lambda metadata: (key in metadata) is operand
    if name == "$eq":
        return _one_of(key, {_typed(key, name, operand)})
    if name == "$in":
        if not isinstance(operand, list):
            raise invalid(f"Invalid filter: $in and $nin take a list, got {operand!r:.80} for field {key!r:.80}")
        return _one_of(key, {_typed(key, name, member) for member in operand})
    if name not in _ORDER:
        raise invalid(f"Invalid filter: {name!r:.80} is no operator; one of {', '.join(_OPERATORS)}")
    if not _is_number(operand):
        raise invalid(f"Invalid filter: {name} takes a number, got {operand!r:.80} for field {key!r:.80}")
    compare, bound = _ORDER[name], _double(key, operand)
    return lambda metadata: _is_number(value := metadata.get(key)) and compare(value, bound)


def _one_of(key: str, wanted: set[tuple[type, Any]]) -> Predicate:
    def matches(metadata: Metadata) -> bool:
        value = metadata.get(key)
        if isinstance(value, list):
            return any((str, member) in wanted for member in value)
        return (_kind(value), value) in wanted

    return matches


def _typed(key: str, name: str, operand: Any) -> tuple[type, Any]:
    if not isinstance(operand, (str, int, float)):
        raise invalid(
            f"Invalid filter: {name} compares with strings, numbers and booleans, "
            f"got {operand!r:.80} for field {key!r:.80}"
        )
    return _kind(operand), _double(key, operand) if _is_number(operand) else operand


def _double(key: str, operand: float) -> float:
    try:
        return float(operand)
    except OverflowError:
        raise invalid(f"Invalid filter: the number for field {key!r:.80} is beyond a double") from None


def _kind(value: object) -> type:
    """Tell values apart that Python holds equal: ``1 == True``, but ``1 == 1.0`` must stay so."""
    kind = type(value)
    return float if kind is int else kind


def _is_number(value: object) -> TypeGuard[float]:
    return type(value) is float or type(value) is int  # decoded JSON has no subclasses but bool, which is none
