"""One target of the bundle, as the Databricks command line would deploy it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from local.bundle.node import Node
from local.bundle.references import Dangling, References
from local.bundle.sources import ROOT_FILE, Sources
from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_USER = "someone@example.com"
_SHORT_NAME = "${workspace.current_user.short_name}"
# What development mode puts in front of a resource's name, by kind: the field, and the text.
_PREFIXES = {
    "jobs": ("name", f"[dev {_SHORT_NAME}] "),
    "pipelines": ("name", f"[dev {_SHORT_NAME}] "),
    "dashboards": ("display_name", f"[dev {_SHORT_NAME}] "),
    "alerts": ("display_name", f"[dev {_SHORT_NAME}] "),
    "schemas": ("name", f"dev_{_SHORT_NAME}_"),
}
_WORKSPACE = {
    "root_path": "/Workspace/Users/${workspace.current_user.userName}/.bundle/${bundle.name}/${bundle.target}",
    "file_path": "${workspace.root_path}/files",
    "resource_path": "${workspace.root_path}/resources",
    "artifact_path": "${workspace.root_path}/artifacts",
    "state_path": "${workspace.root_path}/state",
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A target, merged and resolved."""

    root: Path  # folder of the bundle
    target: str
    tree: Node  # everything: bundle, workspace, variables, resources, ...
    dangling: tuple[Dangling, ...]  # references that lead nowhere: they stand in `tree` as they were written

    @property
    def is_development(self) -> bool:
        """Development mode: names are prefixed, schedules paused."""
        return self.tree.text("mode") == "development"

    @property
    def file_path(self) -> str:
        """Workspace folder that the bundle's files are deployed to."""
        return self.tree.text("workspace", "file_path")

    def resources(self, kind: str) -> Mapping[str, Node]:
        """Resources of a kind, such as jobs, by their key in the files."""
        return self.tree.fields("resources", kind)

    def parameters(self, job: str) -> dict[str, str]:
        """A job's parameters with their defaults: what its notebooks read as widgets."""
        listed = self.tree.items("resources", "jobs", job, "parameters")
        return {node.text("name"): node.text("default") for node in listed}

    def configuration(self, pipeline: str) -> dict[str, str]:
        """A pipeline's configuration: what its notebooks read from `spark.conf`."""
        given = self.tree.fields("resources", "pipelines", pipeline, "configuration")
        return {name: node.text() for name, node in given.items()}


def resolved(root: Path, target: str, variables: Mapping[str, Any], user: str = _USER) -> Bundle:
    """Resolve a target.

    Args:
        root: folder with databricks.yml.
        target: name of one of its targets.
        variables: values of variables, which go before those of the files.
        user: who deploys.

    Raises:
        SettingsError: the files do not read, there is no such target or variable, a variable has no value, or a
            reference leads nowhere.
    """
    sources = Sources.read(root)
    for finding in sources.unreadable:
        raise SettingsError(f"the bundle does not read: {finding}")
    if target not in sources.targets:
        raise SettingsError(f"there is no target {target!r}; known are {', '.join(sources.targets)}")
    bundle = resolve(sources, target, variables, user)
    names = bundle.tree.fields("variables")
    for name in variables.keys() - names.keys():
        raise SettingsError(f"there is no variable {name!r}; known are {', '.join(names)}")
    for name, node in names.items():
        if node.at("value") is None:
            raise SettingsError(f"variable {name} has no value: give it one, {node.text('description')}")
    for lost in bundle.dangling:
        raise SettingsError(f"{lost.node.file}:{lost.node.line}: ${{{lost.path}}} leads nowhere")
    return bundle


def short_name(name: str) -> str:
    """Shorten a user's or a principal's name as the command line does: what stands before the @, letters and digits."""
    return re.sub(r"[\W_]+", "_", name.partition("@")[0].lower()).strip("_")


def resolve(sources: Sources, target: str, variables: Mapping[str, Any], user: str = _USER) -> Bundle:
    """Resolve a target that is there, and list what leads nowhere instead of raising."""
    tree = sources.of_target(target)
    fields = dict(tree.fields())
    fields["variables"] = _with_values(fields["variables"], variables)
    fields["bundle"] = _with(fields.get("bundle"), {"target": target})
    me = {"userName": user, "short_name": short_name(user)}
    fields["workspace"] = _with(_with(None, _WORKSPACE), tree.fields("workspace"))
    fields["workspace"] = _with(fields["workspace"], {"current_user": _with(None, me)})
    if tree.text("mode") == "development":
        fields["resources"] = _prefixed(fields["resources"])
    tree = replace(tree, value={name: node for name, node in fields.items() if name != "targets"})
    references = References(tree)
    return Bundle(sources.root, target, references.resolve(tree), tuple(references.dangling))


def _with(node: Node | None, more: Mapping[str, Any]) -> Node:
    """Add fields, nodes or plain values, to a mapping that need not be there."""
    node = node or Node({}, ROOT_FILE, 1)
    added = {name: value if isinstance(value, Node) else _as_node(value, node) for name, value in more.items()}
    return replace(node, value={**node.fields(), **added})


def _as_node(value: Any, place: Node) -> Node:
    """Give every part of a plain value the place of one node."""
    if isinstance(value, dict):
        value = {name: _as_node(part, place) for name, part in value.items()}
    elif isinstance(value, list):
        value = [_as_node(part, place) for part in value]
    return replace(place, value=value)


def _with_values(variables: Node, given: Mapping[str, Any]) -> Node:
    """Give each variable a field `value`: what was given, its default, or the name that it is looked up by."""
    valued = {}
    for name, node in variables.fields().items():
        value = _as_node(given[name], node) if name in given else node.at("default")
        if value is None:
            value = next(iter(node.fields("lookup").values()), None)
        valued[name] = node if value is None else _with(node, {"value": value})
    return replace(variables, value=valued)


def _prefixed(resources: Node) -> Node:
    kinds = dict(resources.fields())
    for kind, (field, prefix) in _PREFIXES.items():
        if kind in kinds:
            named = {key: _prefixed_one(node, field, prefix) for key, node in kinds[kind].fields().items()}
            kinds[kind] = replace(kinds[kind], value=named)
    return replace(resources, value=kinds)


def _prefixed_one(resource: Node, field: str, prefix: str) -> Node:
    name = resource.fields().get(field)
    if name is None or not isinstance(name.value, str):
        return resource
    return _with(resource, {field: replace(name, value=prefix + name.value)})
