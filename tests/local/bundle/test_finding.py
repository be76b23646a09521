"""Findings as lines."""

from __future__ import annotations

from local.bundle.finding import Finding
from local.bundle.node import Node


def test_a_finding_is_a_line_that_editors_jump_to() -> None:
    finding = Finding.at(Node("x", "resources/sync.job.yml", 12), "task a has no type", "give it one")
    assert str(finding) == "resources/sync.job.yml:12: task a has no type: give it one"


def test_findings_sort_by_file_and_line_as_a_number() -> None:
    one, two, ten = Finding("a.yml", 2, "b", ""), Finding("a.yml", 10, "a", ""), Finding("b.yml", 1, "a", "")
    assert sorted([ten, two, one]) == [one, two, ten]
