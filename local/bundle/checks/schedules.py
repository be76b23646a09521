"""When things run: cron expressions, time zones, triggers, pauses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.bundle import quartz
from local.bundle.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.bundle.project import Project

_CRON_FIELDS = ("quartz_cron_expression", "quartz_cron_schedule")  # a job's, an alert's
_STARTS = ("schedule", "trigger", "continuous")
_SCHEDULED = ("jobs", "alerts")


def cron_expressions(project: Project) -> Iterator[Finding]:
    """A cron expression that Quartz would not take."""
    for kind in (*_SCHEDULED, "pipelines"):
        for name, resource in project.resources(kind):
            for path, node in resource.walk():
                if path and path[-1] in _CRON_FIELDS and (wrong := quartz.complaint(node.text())):
                    yield Finding.at(
                        node, f"{name} has cron expression {node.text()!r}, {wrong}", f"write {quartz.FORM}"
                    )


def time_zones(project: Project) -> Iterator[Finding]:
    """A time zone that does not exist."""
    for kind in (*_SCHEDULED, "pipelines"):
        for name, resource in project.resources(kind):
            for path, node in resource.walk():
                if path and path[-1] == "timezone_id" and not _is_zone(node.text()):
                    what = f"{name} has the unknown time zone {node.text()!r}"
                    yield Finding.at(node, what, "write one of the tz database, such as UTC or Europe/Berlin")


def one_start(project: Project) -> Iterator[Finding]:
    """A job that is started in more than one way."""
    for name, job in project.resources("jobs"):
        starts = [job.fields()[field] for field in _STARTS if job.fields().get(field) and job.fields()[field].value]
        for start in starts[1:]:
            both = " and ".join(field for field in _STARTS if job.fields().get(field) in starts)
            yield Finding.at(start, f"{name} has {both}", "leave one of them: a job takes one")


def awake_in_development(project: Project) -> Iterator[Finding]:
    """What would run in a development target: a schedule that is told to, an alert that is not told to pause."""
    for bundle in project.bundles:
        if not bundle.is_development:
            continue
        for key, job in bundle.resources("jobs").items():
            for start in _STARTS:
                if (status := job.at(start, "pause_status")) and status.value == "UNPAUSED":
                    what = f"job {key} runs in target {bundle.target}, though that is for development"
                    yield Finding.at(status, what, "leave pause_status out: development mode then sets it")
        for key, alert in bundle.resources("alerts").items():
            if alert.text("schedule", "pause_status") != "PAUSED":
                node = alert.at("schedule", "pause_status") or alert.at("schedule") or alert
                what = f"alert {key} runs in target {bundle.target}, though that is for development"
                yield Finding.at(node, what, "set pause_status: PAUSED there: development mode pauses no alert")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # not there; no name; a folder such as Europe
        return False
    return True


CHECKS = (cron_expressions, time_zones, one_start, awake_in_development)
