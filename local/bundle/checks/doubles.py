"""What stands twice: list items of one key, which the command line merges in silence, and resources of one key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.bundle.finding import Finding
from local.bundle.merge import KEYED_LISTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.bundle.node import Node
    from local.bundle.project import Project


def doubled_items(project: Project) -> Iterator[Finding]:
    """Two tasks, environments, parameters or clusters of one key in one list."""
    for resources in _written(project):
        for kind, lists in KEYED_LISTS.items():
            for resource, node in resources.fields(kind).items():
                for field, key in lists.items():
                    yield from _doubled(node.items(field), key, f"{kind[:-1]} {resource}")


def doubled_resources(project: Project) -> Iterator[Finding]:
    """Two resources of one key, be they of two kinds: the command line takes none of the two."""
    first: dict[str, tuple[str, Node]] = {}
    for file in project.sources.files.values():
        for kind, resources in file.fields("resources").items():
            for key, node in resources.fields().items():
                other_kind, other = first.setdefault(key, (kind, node))
                if other is not node:
                    what = f"{kind}.{key} has the key of {other_kind}.{key}, {other.file}:{other.line}"
                    yield Finding.at(node, what, "give one of them another key: no two resources share one")


def _written(project: Project) -> Iterator[Node]:
    """Every `resources` as it is written, those of targets too."""
    for file in project.sources.files.values():
        if (own := file.at("resources")) is not None:
            yield own
        for target in file.fields("targets").values():
            if (above := target.at("resources")) is not None:
                yield above


def _doubled(items: Sequence[Node], key: str, where: str) -> Iterator[Finding]:
    seen: dict[str, Node] = {}
    for item in items:
        name = item.text(key)
        if name in seen:
            what = f"{where} has {key} {name!r} twice, first in line {seen[name].line}"
            yield Finding.at(item.at(key) or item, what, "rename or remove one: they would be merged into one")
        if name:
            seen.setdefault(name, item)


CHECKS = (doubled_items, doubled_resources)
