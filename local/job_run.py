"""A job in a Databricks workspace, and a run of it as it stands at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from databricks.sdk.service.jobs import RunLifecycleStateV2State, TerminationCodeCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from databricks.sdk.service.jobs import Run, RunStatus, RunTask


@dataclass(frozen=True, slots=True)
class DeployedJob:
    """A job as it stands in the workspace."""

    job_id: int
    name: str
    parameters: Mapping[str, str]  # name to default


@dataclass(frozen=True, slots=True)
class Status:
    """How far something is."""

    word: str  # the service's, for what it does or how it ended
    ended: bool
    succeeded: bool
    said: str  # why it ended so, in the service's words

    @classmethod
    def of(cls, found: RunStatus | None) -> Status:
        """Read what the service says; states that a later release of it adds are not the end."""
        if found is None or found.state is None:
            return cls("unknown", ended=False, succeeded=False, said="")
        if found.state is not RunLifecycleStateV2State.TERMINATED:
            return cls(found.state.value.lower(), ended=False, succeeded=False, said="")
        details = found.termination_details
        code = details.code if details else None
        word = code.value.lower().replace("_", " ") if code else "did not succeed"
        good = code is TerminationCodeCode.SUCCESS
        return cls(word, ended=True, succeeded=good, said=(details.message if details else None) or "")


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One attempt at a task."""

    name: str
    attempt: int  # from 0
    run_id: int  # its own, by which its exit value is asked for
    page: str  # where the workspace shows it
    status: Status
    is_notebook: bool
    after: tuple[str, ...]  # tasks it waits for

    @classmethod
    def of(cls, found: RunTask) -> TaskRun:
        """Read what the service says."""
        return cls(
            name=found.task_key,
            attempt=found.attempt_number or 0,
            run_id=found.run_id or 0,
            page=found.run_page_url or "",
            status=Status.of(found.status),
            is_notebook=found.notebook_task is not None,
            after=tuple(task.task_key for task in found.depends_on or ()),
        )


@dataclass(frozen=True, slots=True)
class JobRun:
    """A run with its tasks."""

    page: str  # where the workspace shows it
    status: Status
    attempts: Sequence[TaskRun]  # a task that was tried again is here once for each attempt

    @classmethod
    def of(cls, found: Run) -> JobRun:
        """Read what the service says."""
        attempts = [TaskRun.of(task) for task in found.tasks or ()]
        return cls(found.run_page_url or f"run {found.run_id}", Status.of(found.status), attempts)

    @property
    def tasks(self) -> dict[str, TaskRun]:
        """The last attempt at each task, by name."""
        return {task.name: task for task in sorted(self.attempts, key=lambda task: task.attempt)}

    @property
    def culprit(self) -> TaskRun | None:
        """The task that failed though all it waits for succeeded; None where there is none."""
        tasks = self.tasks
        failed = {name for name, task in tasks.items() if not task.status.succeeded}
        return next((tasks[name] for name in tasks if name in failed and not failed & {*tasks[name].after}), None)
