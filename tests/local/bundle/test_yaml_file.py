"""YAML with positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.yaml_file import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from local.bundle.node import Node


def read(tmp_path: Path, text: str) -> tuple[Node, list[str]]:
    (tmp_path / "f.yml").write_text(text, encoding="utf-8")
    node, findings = read_yaml(tmp_path, "f.yml")
    return node, [str(finding) for finding in findings]


def test_a_value_stands_in_the_line_of_its_name_and_a_list_item_in_its_own(tmp_path: Path) -> None:
    node, findings = read(tmp_path, "# first\na:\n  b: 1\n  c:\n    - x\n\n    - y: |\n        text\n")
    assert not findings
    assert {path: child.line for path, child in node.walk()} == {
        (): 1,
        ("a",): 2,
        ("a", "b"): 3,
        ("a", "c"): 4,
        ("a", "c", "0"): 5,
        ("a", "c", "1"): 7,
        ("a", "c", "1", "y"): 7,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("~", None),
        ("", None),
        ('"12"', "12"),
        ("'true'", "true"),
        # Texts for the command line, other things for a reader of YAML 1.1.
        ("on", "on"),
        ("no", "no"),
        ("12:30", "12:30"),
        ("2026-01-02", "2026-01-02"),
        ("0 0/15 * * * ?", "0 0/15 * * * ?"),
    ],
)
def test_scalars_are_typed_as_the_command_line_types_them(tmp_path: Path, text: str, value: object) -> None:
    found = read(tmp_path, f"a: {text}\n")[0].at("a")
    assert found is not None
    assert (found.value, type(found.value)) == (value, type(value))


def test_an_alias_is_what_its_anchor_is_with_the_line_of_its_own_name(tmp_path: Path) -> None:
    node, findings = read(tmp_path, "a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n  e: 2\n")
    assert not findings
    assert node.plain() == {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}
    assert [node.at("c").line, node.at("c", "b").line] == [3, 2]  # type: ignore[union-attr]


def test_what_is_merged_gives_way_to_what_is_written_and_to_what_is_merged_before(tmp_path: Path) -> None:
    node, _ = read(tmp_path, "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc:\n  y: 3\n  <<: [*a, *b]\n")
    assert node.at("c").plain() == {"x": 1, "y": 3, "z": 2}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yml:3: a stands here twice, first in line 1"),
        ("a:\n  - {b: 1, b: 2}\n", "f.yml:2: b stands here twice, first in line 2"),
        ("a: 1\nb: [1\n", "f.yml:3: this is no YAML: "),
        ("a: 1\n b: 2\n", "f.yml:2: this is no YAML: "),
        ("a: *x\n", "f.yml:1: this is no YAML: "),
        ("- a\n", "f.yml:1: this is no mapping"),
        ("a: 1\n---\nb: 2\n", "f.yml:2: this is no YAML: "),
        ("a: \x07\n", "f.yml:1: this is no YAML: "),
    ],
)
def test_what_is_wrong_with_a_file_has_a_line(tmp_path: Path, text: str, line: str) -> None:
    _, findings = read(tmp_path, text)
    assert len(findings) == 1
    assert findings[0].startswith(line)


def test_a_file_in_another_encoding_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "f.yml").write_bytes("a: ä\n".encode("latin-1"))
    assert [str(finding) for finding in read_yaml(tmp_path, "f.yml")[1]] == [
        "f.yml:1: this is no UTF-8: save the file as UTF-8"
    ]


def test_an_empty_file_is_an_empty_mapping(tmp_path: Path) -> None:
    node, findings = read(tmp_path, "# nothing\n")
    assert (node.plain(), findings) == ({}, [])
