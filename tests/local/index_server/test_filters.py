"""The filter language, case by case where it bites, and against a naive evaluator everywhere else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.index_server.filters import compile_filter
from local.index_server.refusals import Refusal


@pytest.mark.parametrize(
    ("node", "metadata", "expected"),
    [
        ({"a": {"$ne": "x"}}, {}, False),
        ({"a": {"$nin": ["x"]}}, {}, False),
        ({"a": {"$exists": False}}, {}, True),
        ({"a": {"$exists": False}}, {"a": []}, False),
        ({"a": {"$ne": "x"}}, {"a": 1.0}, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": True}, {"a": 1.0}, False),
        ({"a": True}, {"a": True}, True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 9007199254740993}, {"a": float(9007199254740993)}, True),
        ({"a": {"$ne": 9007199254740993}}, {"a": float(9007199254740993)}, False),
        ({"a": {"$in": [9007199254740993]}}, {"a": float(9007199254740993)}, True),
        ({"a": {"$gte": 9007199254740993}}, {"a": float(9007199254740993)}, True),
        ({"a": {"$gt": 0}}, {"a": "1"}, False),
        ({"a": {"$gt": 0}}, {"a": True}, False),
        ({"a": {"$gte": 2, "$lt": 3}}, {"a": 2.0}, True),
        ({"a": {"$gte": 2, "$lt": 3}}, {"a": 3.0}, False),
        ({"a": "x"}, {"a": ["x", "y"]}, True),
        ({"a": {"$ne": "x"}}, {"a": ["x", "y"]}, False),
        ({"a": {"$ne": "z"}}, {"a": ["x", "y"]}, True),
        ({"a": {"$in": ["z", "y"]}}, {"a": ["x", "y"]}, True),
        ({"a": {"$nin": ["z", "y"]}}, {"a": ["x", "y"]}, False),
        ({"a": {"$in": []}}, {"a": "x"}, False),
        ({"a": "x", "b": 1}, {"a": "x", "b": 2.0}, False),
        ({"$or": [{"a": "x"}, {"b": 1}], "c": 3}, {"b": 1.0, "c": 3.0}, True),
        ({}, {"a": "x"}, True),
    ],
)
def test_a_filter_matches_as_the_service_does(node: object, metadata: dict[str, Any], expected: bool) -> None:
    assert compile_filter(node)(metadata) is expected


@pytest.mark.parametrize(
    "node",
    [
        [],
        {"a": {}},
        {"a": None},
        {"a": ["x"]},
        {"a": {"$like": "x"}},
        {"a": {"$gt": "x"}},
        {"a": {"$lt": True}},
        {"a": {"$in": "x"}},
        {"a": {"$in": [None]}},
        {"a": {"$eq": ["x"]}},
        {"a": {"$exists": 1}},
        {"$and": []},
        {"$or": {"a": 1}},
        {"$not": {"a": 1}},
        {"$and": ["a"]},
    ],
)
def test_a_malformed_filter_is_refused(node: object) -> None:
    with pytest.raises(Refusal, match=r"^Invalid filter: ") as caught:
        compile_filter(node)
    assert caught.value.status == 400


def test_a_filter_nested_without_end_is_refused() -> None:
    node: dict[str, Any] = {"a": 1}
    for _ in range(400):
        node = {"$and": [node]}
    with pytest.raises(Refusal, match="nested"):
        compile_filter(node)


keys = st.sampled_from("abc")
strings = st.sampled_from(["", "1", "x", "y"])
numbers = st.sampled_from([0, 1, 1.0, 2, -0.5])
scalars = st.one_of(strings, numbers, st.booleans())
metadatas = st.dictionaries(keys, st.one_of(scalars, st.lists(strings, max_size=3)), max_size=3)
operators = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne"]), scalars),
    st.tuples(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), numbers),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(scalars, max_size=3)),
    st.tuples(st.just("$exists"), st.booleans()),
)
conditions = st.one_of(scalars, st.lists(operators, min_size=1, max_size=2).map(dict))
nodes = st.recursive(
    st.dictionaries(keys, conditions, max_size=2),
    lambda inner: st.dictionaries(
        st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=3), min_size=1
    ),
)


def naive(node: dict[str, Any], metadata: dict[str, Any]) -> bool:
    """Evaluate a filter by the words of the documentation, one rule after the other."""
    for key, condition in node.items():
        if key == "$and":
            holds = all(naive(part, metadata) for part in condition)
        elif key == "$or":
            holds = any(naive(part, metadata) for part in condition)
        else:
            by_operator = condition if isinstance(condition, dict) else {"$eq": condition}
            holds = all(
                naive_condition(name, operand, key in metadata, metadata.get(key))
                for name, operand in by_operator.items()
            )
        if not holds:
            return False
    return True


def naive_condition(name: str, operand: Any, there: bool, value: Any) -> bool:
    def same(left: Any, right: Any) -> bool:
        if isinstance(left, bool) or isinstance(right, bool) or isinstance(left, str) or isinstance(right, str):
            return type(left) is type(right) and bool(left == right)
        return bool(left == right)

    if name == "$exists":
        return there is operand
    if not there:
        return False
    members = value if isinstance(value, list) else [value]
    if name in ("$eq", "$ne"):
        return any(same(member, operand) for member in members) is (name == "$eq")
    if name in ("$in", "$nin"):
        return any(same(member, wanted) for member in members for wanted in operand) is (name == "$in")
    if isinstance(value, (str, bool, list)):
        return False
    ordered = {"$gt": value > operand, "$gte": value >= operand, "$lt": value < operand, "$lte": value <= operand}
    return bool(ordered[name])


@given(nodes, metadatas)
def test_a_filter_agrees_with_a_naive_evaluator(node: dict[str, Any], metadata: dict[str, Any]) -> None:
    assert compile_filter(node)(metadata) is naive(node, metadata)
