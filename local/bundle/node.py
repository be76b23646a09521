"""A value of a YAML file that knows where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Node:
    """A mapping of names to nodes, a list of nodes, or a scalar.

    What a bundle holds may be of any shape, so asking for what is not there gives nothing and no error.
    """

    value: Any  # dict[str, Node], list[Node], str, int, float, bool or None
    file: str  # path from the bundle's root
    line: int  # from 1; that of its name in a mapping, its own in a list
    reference: Node | None = None  # the `${...}` that led here, where one did

    @property
    def named(self) -> Node:
        """Where its name stands, and not its value."""
        return self.reference or self

    def at(self, *path: str) -> Node | None:
        """Follow names of mappings and numbers of list items; None where they lead nowhere."""
        node: Node | None = self
        for name in path:
            if node is not None and isinstance(node.value, list) and name.isdecimal():
                node = node.value[int(name)] if int(name) < len(node.value) else None
            else:
                node = node.value.get(name) if node is not None and isinstance(node.value, dict) else None
        return node

    def fields(self, *path: str) -> Mapping[str, Node]:
        """Return the members of the mapping there; nothing where there is none."""
        node = self.at(*path)
        return node.value if node is not None and isinstance(node.value, dict) else {}

    def items(self, *path: str) -> Sequence[Node]:
        """Return the members of the list there; nothing where there is none."""
        node = self.at(*path)
        return node.value if node is not None and isinstance(node.value, list) else ()

    def text(self, *path: str) -> str:
        """Return the scalar there as text; empty where there is none."""
        node = self.at(*path)
        return "" if node is None or node.value is None or isinstance(node.value, dict | list) else as_text(node.value)

    def plain(self) -> Any:
        """Return what it holds, without positions."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def walk(self, *path: str) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Give every node below, itself first, with the names that lead there after `path`."""
        yield path, self
        if isinstance(self.value, dict):
            for name, node in self.value.items():
                yield from node.walk(*path, name)
        elif isinstance(self.value, list):
            for place, node in enumerate(self.value):
                yield from node.walk(*path, str(place))


def as_text(value: object) -> str:
    """Write a scalar as YAML does."""
    return str(value).lower() if isinstance(value, bool) else str(value)
