"""Plain values as nodes."""

from __future__ import annotations

from typing import Any

from local.bundle.node import Node


def node(value: Any, file: str = "f.yml") -> Node:
    """Give every part of a value one place."""
    if isinstance(value, dict):
        value = {name: node(part, file) for name, part in value.items()}
    elif isinstance(value, list):
        value = [node(part, file) for part in value]
    return Node(value, file, 1)
