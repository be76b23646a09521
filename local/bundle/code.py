"""A file of `pipelines`, or a notebook, in parts: what each name of its top level refers to, and what it imports."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PACKAGE = "pipelines"
HEADER = "# Databricks notebook source"  # first line of a notebook, or Databricks takes it for a plain file


@dataclass(frozen=True, slots=True)
class Part:
    """What a piece of code refers to."""

    names: frozenset[str]  # plain names
    attributes: frozenset[str]  # names after a dot
    of_settings: frozenset[str]  # of those, the ones after `settings.`
    of_self: frozenset[str]  # and after `self.`
    declares: tuple[str, ...]  # names that are declared with a type, as the fields of a dataclass are
    widgets_to: frozenset[str]  # names that are called, or whose methods are, with all widgets of the notebook

    @classmethod
    def of(cls, *trees: ast.AST) -> Part:
        """Collect it from syntax trees."""
        nodes = [node for tree in trees for node in ast.walk(tree)]
        attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
        return cls(
            names=frozenset(node.id for node in nodes if isinstance(node, ast.Name)),
            attributes=frozenset(node.attr for node in attributes),
            of_settings=frozenset(
                node.attr for node in attributes if _last_name(node.value) in ("settings", "_settings")
            ),
            of_self=frozenset(node.attr for node in attributes if _last_name(node.value) == "self"),
            declares=tuple(_last_name(node.target) for node in nodes if isinstance(node, ast.AnnAssign)),
            widgets_to=frozenset(
                name
                for node in nodes
                if isinstance(node, ast.Call) and _hands_widgets(node)
                for name in _names(node.func)
            ),
        )


@dataclass(frozen=True, slots=True)
class Code:
    """A parsed file."""

    parts: Mapping[str, Part]  # name of a function, class or constant; a class without its methods
    methods: Mapping[str, Mapping[str, Part]]  # class -> method; those that Python itself calls belong to the class
    imports: Mapping[str, tuple[str, str]]  # name -> module of the package, name there; "" for the module itself


@cache  # by the text itself
def parse(source: str) -> Code:
    """Parse a file's text."""
    tree = ast.parse(source)
    parts: dict[str, Part] = {}
    methods: dict[str, dict[str, Part]] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            ours = [part for part in node.body if _is_method(part)]
            methods[node.name] = {part.name: Part.of(part) for part in ours if isinstance(part, ast.FunctionDef)}
            parts[node.name] = Part.of(*node.bases, *(part for part in node.body if part not in ours))
        elif isinstance(node, ast.FunctionDef):
            parts[node.name] = Part.of(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets: Sequence[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
            parts.update({name: Part.of(node) for target in targets for name in _names(target)})
    return Code(parts, methods, dict(_imports(tree)))


def _is_method(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and not node.name.startswith("__")


def _names(tree: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def _last_name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _hands_widgets(call: ast.Call) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "getAll" for arg in call.args for node in ast.walk(arg))


def _imports(tree: ast.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            module = (node.module or "").removeprefix(PACKAGE).removeprefix(".")
            for alias in node.names:
                yield alias.asname or alias.name, (module, alias.name) if module else (alias.name, "")
