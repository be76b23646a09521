"""References: what they lead to, and where they lead nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from local.bundle.references import References
from tests.local.bundle.nodes import node

TREE = {
    "bundle": {"name": "b", "target": "dev"},
    "workspace": {"file_path": "/files", "current_user": {"short_name": "me"}},
    "variables": {
        "text": {"value": "t"},
        "list": {"value": [1, "${var.text}"]},
        "map": {"value": {"deep": {"x": 1}}},
        "flag": {"value": True},
        "number": {"value": 7},
        "nested": {"value": "${var.text}-${bundle.target}"},
        "again": {"value": "${var.nested}"},
        "missing": {},
        "one": {"value": "${var.two}"},
        "two": {"value": "x${var.one}"},
    },
    "resources": {"schemas": {"s": {"name": "${var.text}_s"}}, "jobs": {"j": {}}},
}


def resolved(text: str) -> tuple[Any, list[str]]:
    references = References(node(TREE))
    return references.resolve(node(text)).plain(), [lost.path for lost in references.dangling]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${var.text}", "t"),
        ("${var.flag}", True),
        ("${var.number}", 7),
        ("${var.list}", [1, "t"]),
        ("${var.list[1]}", "t"),
        ("${var.map.deep}", {"x": 1}),
        ("a ${var.flag} ${var.number}", "a true 7"),
        ("${var.again}", "t-dev"),
        ("${bundle.name}_${bundle.target}", "b_dev"),
        ("${workspace.file_path}/r.txt", "/files/r.txt"),
        ("${workspace.current_user.short_name}", "me"),
        ("${resources.schemas.s.name}", "t_s"),
        ("${resources.jobs.j.id}", "<resources.jobs.j.id>"),
        ("{{job.id}} $x ${} ${1}", "{{job.id}} $x ${} ${1}"),
        ("$${var.text}", "$${var.text}"),
    ],
)
def test_a_reference_is_what_it_leads_to_and_alone_keeps_its_type(text: str, value: object) -> None:
    found, dangling = resolved(text)
    assert (found, type(found), dangling) == (value, type(value), [])


@pytest.mark.parametrize(
    "path",
    ["var.nothing", "var", "var.missing", "resources.jobs.k.id", "resources.jobs.j.colour", "workspace.x", "nothing.x"],
)
def test_a_reference_that_leads_nowhere_stays_and_is_told(path: str) -> None:
    assert resolved(f"a ${{{path}}}") == (f"a ${{{path}}}", [path])
    assert resolved(f"${{{path}}}") == (f"${{{path}}}", [path])


def test_a_circle_ends_and_is_told() -> None:
    assert "var.one" in resolved("${var.one}")[1]


def test_a_value_stands_where_it_is_defined_and_its_name_where_the_reference_is() -> None:
    references = References(node(TREE, "defined.yml"))
    found = references.resolve(node({"x": "${var.text}", "y": "a${var.text}"}, "used.yml"))
    x, y = found.at("x"), found.at("y")
    assert x is not None
    assert y is not None
    assert (x.file, x.named.file, y.file) == ("defined.yml", "used.yml", "used.yml")
