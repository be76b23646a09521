"""Everything that is wrong with the bundle, without a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.bundle.checks import (
    doubles,
    jobs,
    passed,
    paths,
    pipelines,
    queries,
    schedules,
    shapes,
    targets,
    texts,
    variables,
)
from local.bundle.project import Project

if TYPE_CHECKING:
    from local.bundle.finding import Finding
    from local.bundle.sources import Sources

_SUBJECTS = (variables, targets, jobs, pipelines, schedules, doubles, paths, passed, queries, texts, shapes)
CHECKS = tuple(check for subject in _SUBJECTS for check in subject.CHECKS)


def check(sources: Sources) -> list[Finding]:
    """Run every check over every target; files that do not read are all that is found."""
    if sources.unreadable:
        return sorted(sources.unreadable)
    project = Project.of(sources)
    return sorted({finding for each in CHECKS for finding in each(project)})
