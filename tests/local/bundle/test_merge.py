"""Files on top of each other, and a target on top of them."""

from __future__ import annotations

from typing import Any

import pytest

from local.bundle.merge import merge, merge_lists, merge_variable
from tests.local.bundle.nodes import node


def test_mappings_merge_deeply_lists_are_joined_and_of_scalars_the_upper_counts() -> None:
    below = node({"a": {"x": 1, "y": [1]}, "b": 1, "c": {"z": 1}})
    above = node({"a": {"x": 2, "y": [2]}, "c": None, "d": 3}, "g.yml")
    merged = merge(below, above)
    assert merged.plain() == {"a": {"x": 2, "y": [1, 2]}, "b": 1, "c": {"z": 1}, "d": 3}
    assert [merged.at("a", "x").file, merged.at("b").file] == ["g.yml", "f.yml"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kind", "field", "key"),
    [
        ("jobs", "tasks", "task_key"),
        ("jobs", "environments", "environment_key"),
        ("jobs", "parameters", "name"),
        ("jobs", "job_clusters", "job_cluster_key"),
        ("pipelines", "clusters", "label"),
    ],
)
def test_items_of_one_key_become_one(kind: str, field: str, key: str) -> None:
    items = [{key: "a", "x": 1}, {key: "b"}, {key: "a", "x": 2, "y": 3}]
    merged = merge_lists(node({kind: {"one": {"name": "n", field: items}}}))
    assert merged.plain() == {kind: {"one": {"name": "n", field: [{key: "a", "x": 2, "y": 3}, {key: "b"}]}}}


def test_a_cluster_without_a_label_is_the_default_one() -> None:
    clusters = [{"num_workers": 1}, {"label": "default", "num_workers": 2}, {"label": "maintenance"}]
    merged = merge_lists(node({"pipelines": {"one": {"clusters": clusters}}}))
    assert merged.at("pipelines", "one", "clusters").plain() == [  # type: ignore[union-attr]
        {"label": "default", "num_workers": 2},
        {"label": "maintenance"},
    ]


def test_tasks_without_a_key_and_lists_that_are_references_stay_as_they_are() -> None:
    resources = {"jobs": {"one": {"tasks": [{"x": 1}, {"x": 2}], "parameters": "${var.parameters}"}}, "schemas": {}}
    assert merge_lists(node(resources)).plain() == resources


@pytest.mark.parametrize(
    ("above", "merged"),
    [
        ("new", {"description": "d", "default": "new"}),
        ([1], {"description": "d", "default": [1]}),
        ({"x": 1}, {"description": "d", "default": {"x": 1}}),
        ({"default": "new"}, {"description": "d", "default": "new"}),
        ({"description": "other"}, {"description": "other", "default": {"old": 1}}),
        ({"lookup": {"warehouse": "w"}}, {"description": "d", "lookup": {"warehouse": "w"}}),
    ],
)
def test_a_target_replaces_a_variables_default_whole(above: Any, merged: Any) -> None:
    declared = node({"description": "d", "default": {"old": 1}})
    assert merge_variable(declared, node(above)).plain() == merged
