"""Variables and references: each is described, used and there."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

from local.bundle.finding import Finding
from local.bundle.overrides import overrides_file, read_overrides
from local.bundle.project import left_open
from local.bundle.references import REFERENCE
from local.bundle.yaml_file import no_json_object, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.bundle.node import Node
    from local.bundle.project import Project


def descriptions(project: Project) -> Iterator[Finding]:
    """A variable that does not say what it is."""
    for name, node in _declared(project).items():
        if not node.text("description").strip():
            yield Finding.at(node, f"variable {name} has no description", "say in one line what it chooses")


def unused(project: Project) -> Iterator[Finding]:
    """A variable that nothing refers to."""
    used = set()
    for file in project.sources.files.values():
        for _, node in file.walk():
            if isinstance(node.value, str):
                paths = REFERENCE.findall(node.value)
                used |= {path.split(".")[1].partition("[")[0] for path in paths if path.startswith("var.")}
    for name, node in _declared(project).items():
        if name not in used:
            yield Finding.at(node, f"variable {name} is not used", f"remove it, or refer to it as ${{var.{name}}}")


def undeclared(project: Project) -> Iterator[Finding]:
    """A target that sets a variable which is not declared."""
    declared = _declared(project)
    for target, node in project.sources.targets.items():
        for name, value in node.fields("variables").items():
            if name not in declared:
                what = f"target {target} sets variable {name}, which is not declared"
                yield Finding.at(value, what, "declare it under variables, with a description")


def dangling(project: Project) -> Iterator[Finding]:
    """A reference that leads nowhere: to a variable, a resource or another value that is not there."""
    for bundle in project.bundles:
        for lost in bundle.dangling:
            kind, _, name = lost.path.partition(".")
            fix = {
                "var": f"declare variable {name}, or correct the name",
                "resources": f"name a resource and a field of {', '.join(bundle.tree.fields('resources'))}",
            }.get(kind, "correct it")
            yield Finding.at(lost.node, f"${{{lost.path}}} leads nowhere, or in a circle", fix)


def overrides(project: Project) -> Iterator[Finding]:
    """A target's file of values that does not read, sets what it cannot, or lacks what must be given."""
    declared = _declared(project)
    for target, node in project.sources.targets.items():
        file = overrides_file(target)
        if not (project.root / file).is_file():
            continue
        if wrong := no_json_object(project.root, file, "correct it: an object of variables with values"):
            yield wrong
            continue
        for name in sorted(left_open(project.sources, node).keys() - read_overrides(project.root, target).keys()):
            if f"BUNDLE_VAR_{name}" not in os.environ:
                fix = f"give it here, or set the environment variable BUNDLE_VAR_{name}"
                yield Finding(file, 1, f"variable {name} has no value", fix)
        values, _ = read_yaml(project.root, file)  # JSON is YAML but for rare escapes, and so has positions
        for name, value in values.fields().items():
            if name not in declared:
                close = difflib.get_close_matches(name, declared, n=1) or sorted(declared)
                yield Finding.at(value.named, f"there is no variable {name}", f"write {' or '.join(close)}")
            elif declared[name].at("lookup") is not None:
                what = f"variable {name} is looked up, and not read from here"
                yield Finding.at(value.named, what, f"set the environment variable BUNDLE_VAR_{name}, or pass --var")


def _declared(project: Project) -> Mapping[str, Node]:
    return project.sources.merged.fields("variables")


CHECKS = (descriptions, unused, undeclared, dangling, overrides)
