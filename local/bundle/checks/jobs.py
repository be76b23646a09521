"""Jobs: tasks with one type each, in an order that exists, in environments that exist."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from local.bundle.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.bundle.node import Node
    from local.bundle.project import Project


def task_types(project: Project) -> Iterator[Finding]:
    """A task that does nothing, or two things."""
    for name, task, _ in project.tasks():
        types = [field for field in task.fields() if field.endswith("_task")]
        if len(types) != 1:
            has = f"{len(types)} types, {' and '.join(types)}" if types else "no type"
            yield Finding.at(task, f"{name} has {has}", "give it one, such as notebook_task")


def dependencies(project: Project) -> Iterator[Finding]:
    """A task that waits for one that is not there."""
    for name, task, job in project.tasks():
        known = _order(job)
        for before in _befores(task):
            if before.text() not in known:
                what = f"{name} depends on task {before.text()!r}, which is not there"
                yield Finding.at(before, what, f"name one of {', '.join(known)}")


def circles(project: Project) -> Iterator[Finding]:
    """Tasks that wait for each other."""
    for name, job in project.resources("jobs"):
        try:
            TopologicalSorter(_order(job)).prepare()
        except CycleError as error:
            circle = error.args[1][::-1]
            first = next(task for task in job.items("tasks") if task.text("task_key") in circle)
            what = f"{name} has tasks that wait for each other, {' after '.join(circle)}"
            yield Finding.at(first.at("depends_on") or first, what, "take one depends_on out")


def environment_keys(project: Project) -> Iterator[Finding]:
    """A task in an environment that its job does not have."""
    for name, task, job in project.tasks():
        known = [environment.text("environment_key") for environment in job.items("environments")]
        key = task.at("environment_key")
        if key is not None and key.text() not in known:
            what = f"{name} runs in environment {key.text()!r}, which the job does not have"
            yield Finding.at(key, what, f"add it to environments, or name one of them ({', '.join(known) or 'none'})")


def concurrent_runs(project: Project) -> Iterator[Finding]:
    """A job that may never run."""
    for name, job in project.resources("jobs"):
        node = job.at("max_concurrent_runs")
        if node is not None and isinstance(node.value, int) and node.value < 1:
            what = f"{name} has max_concurrent_runs {node.value}, so every run of it is skipped"
            yield Finding.at(node, what, "write 1 or more")


def _order(job: Node) -> dict[str, list[str]]:
    """Task keys with those they wait for."""
    return {task.text("task_key"): [node.text() for node in _befores(task)] for task in job.items("tasks")}


def _befores(task: Node) -> list[Node]:
    return [node for item in task.items("depends_on") if (node := item.at("task_key")) is not None]


CHECKS = (task_types, dependencies, circles, environment_keys, concurrent_runs)
