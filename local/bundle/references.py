"""Replace `${...}` by what it leads to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from local.bundle.node import Node, as_text

_NAME = r"[A-Za-z_][\w-]*"
REFERENCE = re.compile(rf"(?<!\$)\$\{{({_NAME}(?:\.{_NAME}|\[\d+\])*)\}}")
# What a resource has once it is deployed, whatever its file says of it.
_DEPLOYED = {"id", "url", "full_name", "volume_path"}


@dataclass(frozen=True, slots=True)
class Dangling:
    """A reference that leads nowhere."""

    node: Node  # where it stands
    path: str  # what it says, without ${}


class References:
    """Resolves nodes within one bundle; `dangling` then lists what led nowhere."""

    def __init__(self, bundle: Node) -> None:
        self._bundle = bundle
        self._followed: dict[str, Node | None] = {}
        self._open: list[str] = []  # references being followed: one that comes again leads in a circle
        self.dangling: list[Dangling] = []

    def resolve(self, node: Node) -> Node:
        """Resolve every reference in a node.

        A text that is one reference becomes what it leads to, type, file and line included; others stay texts.
        """
        if isinstance(node.value, dict):
            return replace(node, value={name: self.resolve(field) for name, field in node.value.items()})
        if isinstance(node.value, list):
            return replace(node, value=[self.resolve(item) for item in node.value])
        if not isinstance(node.value, str) or "${" not in node.value:
            return node
        if whole := REFERENCE.fullmatch(node.value):
            found = self._follow(whole[1], node)
            return node if found is None else replace(found, reference=node)
        return replace(node, value=REFERENCE.sub(lambda match: self._word(match, node), node.value))

    def _word(self, match: re.Match[str], node: Node) -> str:
        found = self._follow(match[1], node)
        return match[0] if found is None else as_text(found.plain())

    def _follow(self, path: str, at: Node) -> Node | None:
        if path not in self._followed:
            found = None if path in self._open else self._find(path)
            self._open.append(path)
            resolved = None if found is None else self.resolve(found)
            self._open.pop()
            self._followed[path] = resolved
        if self._followed[path] is None:
            self.dangling.append(Dangling(at, path))
        return self._followed[path]

    def _find(self, path: str) -> Node | None:
        names = re.findall(r"[^.\[\]]+", path)
        if names[0] == "var":
            names = ["variables", names[1], "value", *names[2:]] if names[1:] else names
        found = self._bundle.at(*names)
        if found is None and names[0] == "resources" and names[-1] in _DEPLOYED:
            resource = self._bundle.at(*names[:-1])
            return replace(resource, value=f"<{path}>") if resource is not None else None
        return found
