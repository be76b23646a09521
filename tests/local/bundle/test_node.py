"""Values that know where they stand."""

from __future__ import annotations

from local.bundle.node import Node

LEAF = Node("leaf", "f.yml", 3)
TREE = Node({"branch": Node([LEAF, Node(True, "f.yml", 4)], "f.yml", 2), "none": Node(None, "f.yml", 5)}, "f.yml", 1)


def test_a_path_leads_through_names_and_numbers() -> None:
    assert TREE.at("branch", "0") is LEAF
    assert TREE.at() is TREE


def test_what_is_not_there_is_nothing_and_no_error() -> None:
    assert TREE.at("branch", "2") is None
    assert TREE.at("branch", "0", "deeper") is None
    assert TREE.at("twig", "0") is None
    assert not TREE.fields("branch")
    assert not TREE.items("twig")


def test_a_scalar_as_text_is_written_as_in_yaml_and_anything_else_is_empty() -> None:
    assert TREE.text("branch", "0") == "leaf"
    assert TREE.text("branch", "1") == "true"
    assert TREE.text("none") == TREE.text("branch") == TREE.text("twig") == ""


def test_plain_is_the_same_without_positions() -> None:
    assert TREE.plain() == {"branch": ["leaf", True], "none": None}


def test_a_walk_comes_to_every_node_once() -> None:
    assert [(path, node.line) for path, node in TREE.walk("root")] == [
        (("root",), 1),
        (("root", "branch"), 2),
        (("root", "branch", "0"), 3),
        (("root", "branch", "1"), 4),
        (("root", "none"), 5),
    ]
