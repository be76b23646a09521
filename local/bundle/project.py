"""What every check is given: the files, and each target resolved."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.bundle.bundle import Bundle, resolve
from local.bundle.overrides import read_overrides
from local.bundle.reads import Package, Reads
from local.bundle.sources import ROOT_FILE, Sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from local.bundle.node import Node

_RUNNING = ("jobs", "pipelines")


@dataclass(frozen=True, slots=True)
class Project:
    """The bundle as it is checked."""

    sources: Sources
    bundles: tuple[Bundle, ...]  # one a target
    notebooks: tuple[str, ...]  # every Python notebook that a job or a pipeline runs, by its path from the root
    reads: Mapping[str, Reads]  # what those that parse read

    @classmethod
    def of(cls, sources: Sources) -> Project:
        """Resolve every target; a variable that is yours to fill in, and is not yet, gets its own name as value."""
        bundles = tuple(resolve(sources, name, _values(sources, name, node)) for name, node in sources.targets.items())
        resources = [node for bundle in bundles for kind in _RUNNING for node in bundle.resources(kind).values()]
        named = {file for node in resources for file in python_notebooks(node)}
        there = tuple(sorted(file for file in named if (sources.root / file).is_file()))
        package, reads = Package(sources.root), {}
        for file in there:
            with suppress(SyntaxError, ValueError):  # a check of its own tells of it
                reads[file] = package.reads(file)
        return cls(sources, bundles, there, reads)

    @property
    def root(self) -> Path:
        """Folder of the bundle."""
        return self.sources.root

    @property
    def top(self) -> Node:
        """The root file."""
        return self.sources.files[ROOT_FILE]

    def resources(self, kind: str) -> Iterator[tuple[str, Node]]:
        """Resources of a kind in every target, each with words that name it."""
        for bundle in self.bundles:
            for key, node in bundle.resources(kind).items():
                yield f"{kind.removesuffix('s').replace('_', ' ')} {key}", node

    def tasks(self) -> Iterator[tuple[str, Node, Node]]:
        """Every task of every job, nested ones too: words that name it, the task, its job."""
        for name, job in self.resources("jobs"):
            for task in tasks_of(job):
                yield f"{name}, task {task.text('task_key')}", task, job


def python_notebooks(resource: Node) -> Iterator[str]:
    """Paths from the bundle's root of the Python notebooks that a job or a pipeline names."""
    named = [library.at("notebook", "path") for library in resource.items("libraries")]
    named += [task.at("notebook_task", "notebook_path") for task in tasks_of(resource)]
    return (beside(node) for node in named if node is not None and node.text().endswith(".py"))


def tasks_of(job: Node) -> Iterator[Node]:
    """Tasks of a job, and those that run for each item of a list."""
    for task in job.items("tasks"):
        yield task
        if nested := task.at("for_each_task", "task"):
            yield nested


def beside(node: Node, path: str | None = None) -> str:
    """Path from the bundle's root of what a node, or a path in it, names relative to the node's own file."""
    parts: list[str] = []
    for part in [*node.file.split("/")[:-1], *(path or node.text()).split("/")]:
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def left_open(sources: Sources, target: Node) -> Mapping[str, Node]:
    """Variables that are yours to fill in: neither their declaration nor the target gives a value."""
    return {
        name: variable
        for name, variable in sources.merged.fields("variables").items()
        if name not in target.fields("variables") and not variable.fields().keys() & {"default", "lookup"}
    }


def _values(sources: Sources, target: str, node: Node) -> Mapping[str, object]:
    declared, given = sources.merged.fields("variables"), read_overrides(sources.root, target)
    stand_ins = {
        name: [] if variable.text("type") == "complex" else name for name, variable in left_open(sources, node).items()
    }
    return stand_ins | {name: value for name, value in given.items() if name in declared}
