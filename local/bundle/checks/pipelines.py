"""Pipelines: a name, one schema, a channel and an edition that exist, no clusters on serverless compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.bundle.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.bundle.project import Project

_WORDS = {"channel": ("CURRENT", "PREVIEW"), "edition": ("CORE", "PRO", "ADVANCED")}


def channels_and_editions(project: Project) -> Iterator[Finding]:
    """A channel or an edition that does not exist."""
    for name, pipeline in project.resources("pipelines"):
        for field, words in _WORDS.items():
            node = pipeline.at(field)
            if node is not None and node.text().upper() not in words:
                yield Finding.at(node, f"{name} has the unknown {field} {node.text()!r}", f"write {' or '.join(words)}")


def clusters_on_serverless(project: Project) -> Iterator[Finding]:
    """Clusters where there are none."""
    for name, pipeline in project.resources("pipelines"):
        clusters = pipeline.at("clusters")
        if clusters is not None and clusters.items() and pipeline.text("serverless") == "true":
            yield Finding.at(
                clusters, f"{name} is serverless and has clusters", "leave them out, or set serverless: false"
            )


def names(project: Project) -> Iterator[Finding]:
    """A pipeline without a name."""
    for name, pipeline in project.resources("pipelines"):
        if not pipeline.text("name"):
            yield Finding.at(pipeline, f"{name} has no name", "give it one")


def one_schema(project: Project) -> Iterator[Finding]:
    """A pipeline that does not know where its tables go, or is told twice."""
    for name, pipeline in project.resources("pipelines"):
        schema, target = pipeline.at("schema"), pipeline.at("target")
        if schema is not None and target is not None:
            yield Finding.at(target, f"{name} has both schema and target", "leave target out: it is schema's old name")
        elif not pipeline.text("schema") and not pipeline.text("target"):
            yield Finding.at(schema or pipeline, f"{name} has no schema", "say where its tables go, with `schema`")


CHECKS = (channels_and_editions, clusters_on_serverless, names, one_schema)
