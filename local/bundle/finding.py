"""What is wrong with the bundle, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from local.bundle.node import Node


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake; equal ones of several targets are one."""

    file: str  # path from the bundle's root
    line: int  # from 1
    what: str  # what is wrong
    fix: str  # what to do

    @classmethod
    def at(cls, node: Node, what: str, fix: str) -> Self:
        """Say what is wrong with a node."""
        return cls(node.file, node.line, what, fix)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}: {self.fix}"
