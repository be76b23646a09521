"""Targets: one is the default, production knows its place, and no two write to the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.bundle.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.bundle.bundle import Bundle
    from local.bundle.node import Node
    from local.bundle.project import Project

_NAMES = {
    "jobs": "name",
    "pipelines": "name",
    "dashboards": "display_name",
    "alerts": "display_name",
    "secret_scopes": "name",
}
_PERSONAL = "${workspace.current_user"


def default_target(project: Project) -> Iterator[Finding]:
    """No default target, or two."""
    targets = project.sources.targets
    chosen = [node for node in targets.values() if node.text("default") == "true"]
    if not chosen and len(targets) != 1:
        place = project.top.at("targets") or project.top
        yield Finding.at(place, "no target is the default", "write default: true in one, best one for development")
    for extra in chosen[1:]:
        what = f"a second target is the default, after line {chosen[0].line}"
        yield Finding.at(extra.at("default") or extra, what, "take it out of one")


def production(project: Project) -> Iterator[Finding]:
    """A production target that belongs to whoever deployed last, or to each who runs a command."""
    for name, target in project.sources.targets.items():
        bundle = next(bundle for bundle in project.bundles if bundle.target == name)
        owned = bundle.tree.fields("run_as") or target.text("workspace", "root_path")
        if bundle.tree.text("mode") == "production" and not owned:
            what = f"target {name} is production, and has neither run_as nor workspace.root_path"
            yield Finding.at(target, what, "say who it runs as, and where its files are")
        root_path = target.at("workspace", "root_path")
        if bundle.tree.text("mode") == "production" and root_path is not None and _PERSONAL in root_path.text():
            what = f"target {name} is production, and each who runs a command has a root_path of their own"
            yield Finding.at(root_path, what, "name the principal that it runs as: another would find no deployment")


def open_secrets(project: Project) -> Iterator[Finding]:
    """Permissions of a whole target that let their holders read the secrets of its scopes."""
    for bundle in project.bundles:
        for permission in bundle.tree.items("permissions") if bundle.resources("secret_scopes") else ():
            if permission.text("level") == "CAN_VIEW":
                what = f"target {bundle.target} gives CAN_VIEW to all it has: of a scope that is to read its secrets"
                yield Finding.at(permission, what, "give permissions resource by resource, and none to the scope")


def clashes(project: Project) -> Iterator[Finding]:
    """A name that two targets of one workspace share: each would undo the other's work."""
    first: dict[tuple[str, ...], tuple[str, Node]] = {}
    for bundle in project.bundles:
        for identity, node in _identities(bundle):
            target, other = first.setdefault(identity, (bundle.target, node))
            if target != bundle.target:
                what = f"{identity[-1]} is the same in targets {target} ({other.file}:{other.line}) and {bundle.target}"
                yield Finding.at(node, what, "give each target its own")


def _identities(bundle: Bundle) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Everything a workspace, or an index, has one of: what tells it from others, with words for it; and its node."""
    host = bundle.tree.text("workspace", "host") or bundle.tree.text("workspace", "profile")
    for kind, field in _NAMES.items():
        for key, resource in bundle.resources(kind).items():
            if name := resource.at(field):
                yield (host, kind, name.text(), f"the name of {kind[:-1].replace('_', ' ')} {key}"), name
    for key, schema in bundle.resources("schemas").items():
        if name := schema.at("name"):
            catalog = schema.text("catalog_name")
            yield (host, "schemas", catalog, name.text(), f"catalog and name of schema {key}"), name
    for key, job in bundle.resources("jobs").items():
        for parameter in job.items("parameters"):
            default = parameter.at("default")
            if parameter.text("name") == "namespace" and default is not None:
                index = bundle.parameters(key).get("index_name", "")
                yield ("namespace", index, default.text(), f"the namespace of job {key}"), default


CHECKS = (default_target, production, open_secrets, clashes)
