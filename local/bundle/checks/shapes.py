"""Every resource as Databricks' own dataclasses take it: no unknown field, no missing one, no value of another type."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from databricks.bundles import alerts, dashboards, jobs, pipelines, schemas, secret_scopes, volumes

from local.bundle.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.bundle.node import Node
    from local.bundle.project import Project

_KINDS: dict[str, tuple[Any, Any]] = {  # kind -> its class, and the module with the classes below it
    "jobs": (jobs.Job, jobs),
    "pipelines": (pipelines.Pipeline, pipelines),
    "schemas": (schemas.Schema, schemas),
    "volumes": (volumes.Volume, volumes),
    "alerts": (alerts.Alert, alerts),
    "dashboards": (dashboards.Dashboard, dashboards),
    "secret_scopes": (secret_scopes.SecretScope, secret_scopes),
}


def shapes(project: Project) -> Iterator[Finding]:
    """A resource that the API's schema does not fit."""
    for kind, (shape, module) in _KINDS.items():
        for name, resource in project.resources(kind):
            if complaint := _complaint(shape, resource):
                place = _culprit(shape, resource, complaint)
                yield Finding.at(place, f"{name}: {_readable(complaint)}", _fix(module, complaint))


def kinds(project: Project) -> Iterator[Finding]:
    """A kind of resource that nobody here checks."""
    for bundle in project.bundles:
        for kind, node in bundle.tree.fields("resources").items():
            if kind not in _KINDS:
                what = f"resources of kind {kind} are not checked"
                yield Finding.at(node, what, f"correct the name, or add its class to {__name__}")


def _complaint(shape: Any, resource: Node) -> str | None:
    try:
        shape.from_dict(resource.plain())
    except (ValueError, TypeError, AttributeError) as error:
        return str(error)
    return None


def _culprit(shape: Any, resource: Node, complaint: str) -> Node:
    """Find the innermost field without which the complaint is another, or none: the classes do not say where it is."""
    path: list[str] = []
    while True:
        node = resource.at(*path)
        if node is None:
            return resource
        inner = [*node.fields(), *(str(place) for place in range(len(node.items())))]
        guilty = (
            name for name in inner if _gist(_complaint(shape, _without(resource, [*path, name]))) != _gist(complaint)
        )
        name = next(guilty, None)
        if name is None:
            return node
        path.append(name)


def _gist(complaint: str | None) -> str | None:
    """Take the names of missing fields out: without another required field there is one more of them."""
    return complaint and re.sub(r"missing \d.*", "missing", complaint)


def _without(node: Node, path: list[str]) -> Node:
    name, *rest = path
    if isinstance(node.value, dict):
        fields = dict(node.value)
        fields[name] = _without(fields[name], rest) if rest else None
        return replace(node, value={key: field for key, field in fields.items() if field is not None})
    items = [_without(item, rest) if place == int(name) and rest else item for place, item in enumerate(node.value)]
    return replace(node, value=items if rest else [*items[: int(name)], *items[int(name) + 1 :]])


def _readable(complaint: str) -> str:
    """Leave Python's own words out."""
    missing = re.search(r"missing \d+ required keyword-only arguments?: (.+)", complaint)
    if missing:
        return f"{missing[1]} is missing"
    return re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", complaint)


def _fix(module: Any, complaint: str) -> str:
    word = re.search(r"is not a valid (\w+)$", complaint)
    if word and hasattr(module, word[1]):
        return f"write one of {', '.join(member.value for member in getattr(module, word[1]))}"
    if "missing" in complaint:
        return "add it"
    return "remove it, or correct its name" if "Unexpected field" in complaint else "correct its value"


CHECKS = (shapes, kinds)
