"""What jobs and pipelines pass to their notebooks: every setting that is read there, and none that nobody knows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.bundle.finding import Finding
from local.bundle.project import python_notebooks
from local.bundle.reads import SETTINGS, Reads
from local.options import ONCE
from pipelines.errors import SettingsError
from pipelines.settings import CONFIGURATION_PREFIX, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.bundle.node import Node
    from local.bundle.project import Project

# A variable without a value has its own name for one.
_FILLED_IN = {"source_table": "schema.table", "catalog": "catalog", "id_column": "id", "text_column": "text"}
_LOCAL = {"pinecone_host"}  # settings of other services than Pinecone


def unpassed(project: Project) -> Iterator[Finding]:
    """A setting that a notebook reads and its job or pipeline does not pass; what is for one run may be left out."""
    for name, resource, passed, taken in _users(project):
        for setting in sorted(taken.settings - _LOCAL - set(ONCE) - passed.keys()):
            field = "parameters" if resource.at("tasks") else "configuration"
            what = f"{name} does not pass setting {setting}, which its notebooks read"
            yield Finding.at(resource.at(field) or resource, what, f"add {setting} to its {field}")


def unreachable(project: Project) -> Iterator[Finding]:
    """A setting for one run that no job takes, so that no run can have it."""
    users = list(_users(project))
    passed = {name for _, _, names, _ in users for name in names}
    for setting in ONCE:
        readers = [(name, job) for name, job, _, taken in users if job.at("tasks") and setting in taken.settings]
        if setting not in passed and readers:
            name, job = readers[0]
            what = f"no job has a parameter for setting {setting}, which {name} reads"
            yield Finding.at(job.at("parameters") or job, what, f"add {setting} to its parameters")


def unknown(project: Project) -> Iterator[Finding]:
    """A parameter, or a name of the configuration, that is no setting."""
    for name, _, passed, taken in _users(project):
        for setting, node in passed.items():
            if setting not in SETTINGS | taken.others:
                what = f"{name} passes {setting}, which is no setting"
                yield Finding.at(node.named, what, "correct the name: pipelines/settings.py has them all")


def unlike(project: Project) -> Iterator[Finding]:
    """A setting that a job has otherwise than the pipeline: what one writes, the other would not recognise."""
    for bundle in project.bundles:
        for pipeline, resource in bundle.resources("pipelines").items():
            theirs = _configured(resource)
            for job, node in bundle.resources("jobs").items():
                for setting, parameter in _parameters(node).items():
                    if setting in theirs and parameter.text("default") != theirs[setting].text():
                        what = f"job {job} has another {setting} than pipeline {pipeline}"
                        yield Finding.at(parameter, what, "write the same in both")


def unloadable(project: Project) -> Iterator[Finding]:
    """A value that the settings refuse, as `prepare` would only after a deployment."""
    for name, _, passed, _ in _users(project):
        texts = {setting: _value(node) for setting, node in passed.items() if setting in SETTINGS}
        try:
            load_settings(_FILLED_IN | {setting: text for setting, text in texts.items() if text}, environment={})
        except SettingsError as error:
            culprit = re.match(r"setting (\w+)", str(error))
            node = passed.get(culprit[1]) if culprit else None
            if node is not None:
                yield Finding.at(node, f"{name}: {error}", "correct it here, or the variable that it comes from")


def _value(node: Node) -> str:
    """What a parameter, or a line of a configuration, passes; nothing where it is yours to fill in, and is not yet."""
    text = node.text("default") if node.fields() else node.text()
    return "" if text in _FILLED_IN else text


def _users(project: Project) -> Iterator[tuple[str, Node, Mapping[str, Node], Reads]]:
    """Give jobs and pipelines that run notebooks: words for them, what they pass by setting, what is read."""
    for kind in ("jobs", "pipelines"):
        for name, resource in project.resources(kind):
            taken = [project.reads[file] for file in python_notebooks(resource) if file in project.reads]
            if taken:
                passed = _parameters(resource) if kind == "jobs" else _configured(resource)
                settings = frozenset().union(*(each.settings for each in taken))
                yield name, resource, passed, Reads(settings, frozenset().union(*(each.others for each in taken)))


def _parameters(job: Node) -> dict[str, Node]:
    return {item.text("name"): item for item in job.items("parameters")}


def _configured(pipeline: Node) -> dict[str, Node]:
    """Give what a configuration says of settings; names with other prefixes are Spark's or the pipeline's own."""
    found = {}
    for name, node in pipeline.fields("configuration").items():
        if name.startswith(CONFIGURATION_PREFIX):
            found[name.removeprefix(CONFIGURATION_PREFIX)] = node
        elif "." not in name:
            found[f"{name} without {CONFIGURATION_PREFIX}"] = node
    return found


CHECKS = (unpassed, unreachable, unknown, unlike, unloadable)
