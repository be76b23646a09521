"""A Databricks workspace, as far as a smoke test asks one: the deployed job, a run of it, what tables say.

Credentials are the SDK's own affair: DATABRICKS_HOST and DATABRICKS_TOKEN, a profile, or OAuth.
"""

from __future__ import annotations

import configparser
import logging
import re
import uuid
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from databricks.sdk import WorkspaceClient, errors
from databricks.sdk.config import Config
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.sql import ExecuteStatementRequestOnWaitTimeout as AfterWait
from databricks.sdk.service.sql import StatementParameterListItem, StatementState

from local.job_run import DeployedJob, JobRun
from pipelines.errors import DeploymentError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from databricks.sdk.service.iam import User

    from local.job_run import TaskRun

_PATIENCE_POLLS: Final = 4  # what does not answer is asked again for as long as so many polls take
_MOST_SILENT_POLLS: Final = 10  # in a row, of a run that goes on whether we hear of it or not
_HTTP_TIMEOUT_S: Final = 30.0
_STATEMENT_WAIT: Final = "10s"  # the service takes 5 to 50
_STATEMENT_LIMIT_S: Final = 900.0  # a warehouse that sleeps may take minutes to start
_LONGEST_TEXT: Final = 400
_FINAL: Final = (errors.BadRequest, errors.Unauthenticated, errors.PermissionDenied, errors.NotFound)  # worth no retry
_PRINCIPAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DEBUG_INFO = re.compile(r"\. (?:Config|Env): ")  # which the SDK puts behind some messages
_LOG_IN = "set DATABRICKS_HOST and DATABRICKS_TOKEN, or log in with `databricks auth login` and name its --profile"


class Workspace:
    """A client of one workspace.

    Args:
        profile: of `~/.databrickscfg`; None for the environment, or the default one.
        poll_s: seconds between two looks at what is under way.

    Raises:
        SettingsError: no credentials, or a profile that is not there.
    """

    def __init__(self, profile: str | None, poll_s: float) -> None:
        logging.getLogger("databricks.sdk").setLevel(logging.ERROR)  # what it warns of, our errors say
        patience_s = max(1, round(_PATIENCE_POLLS * poll_s))
        try:
            config = Config(profile=profile, retry_timeout_seconds=patience_s, http_timeout_seconds=_HTTP_TIMEOUT_S)
        except configparser.Error as error:  # it quotes a line of the file, which may hold a token
            raise SettingsError(f"the Databricks profiles cannot be read ({type(error).__name__}): mend them") from None
        except (OSError, ValueError) as error:
            raise SettingsError(f"no Databricks credentials, {_one_line(error)}: {_LOG_IN}") from None
        self._client = WorkspaceClient(config=config)
        self._poll_s = poll_s

    def user(self) -> str:
        """Return the name that development mode shortens and puts in front of everything."""
        with self._asking("the current user"):
            return _name(self._client.current_user.me())

    def job(self, name: str, advice: str) -> DeployedJob:
        """Find a job by its name.

        Args:
            name: case does not matter.
            advice: what to do where there is none.

        Raises:
            DeploymentError: there is none of that name, or more than one.
        """
        with self._asking("its jobs"):
            ids = [job.job_id for job in self._client.jobs.list(name=name) if job.job_id is not None]
            if len(ids) == 1:
                settings = self._client.jobs.get(ids[0]).settings
                parameters = settings.parameters if settings else None
                return DeployedJob(ids[0], name, {item.name: item.default for item in parameters or ()})
        host = self._client.config.host
        if ids:
            numbers = ", ".join(map(str, ids))
            raise DeploymentError(f"{host} has {len(ids)} jobs {name!r} ({numbers}): delete those that are not yours")
        raise DeploymentError(f"{host} has no job {name!r} that you may see: {advice}")

    def warehouse_id(self, wanted: str | None) -> str:
        """Return the id of a SQL warehouse that is there: the one that is wanted, else the first that is listed.

        Raises:
            DeploymentError: there is none, or not that one.
        """
        with self._asking("its SQL warehouses"):
            ids = [warehouse.id for warehouse in self._client.warehouses.list() if warehouse.id]
        if not ids:
            raise DeploymentError(f"{self._client.config.host} lists no SQL warehouse that you may use: make one")
        if wanted and wanted not in ids:
            raise DeploymentError(f"--warehouse-id is {wanted}; the workspace lists {', '.join(ids)}")
        return wanted or ids[0]

    def start(self, job: DeployedJob) -> int:
        """Start a run and return its id; a request that is sent again starts no second one."""
        with self._asking(f"a run of job {job.name}"):
            return int(self._client.jobs.run_now(job.job_id, idempotency_token=str(uuid.uuid4())).run_id)

    def follow(self, run_id: int, timeout_s: float) -> Iterator[JobRun]:
        """Look at a run again and again until it has ended.

        Raises:
            DeploymentError: it has not ended in time, or the workspace has been silent for too long. The run goes on.
        """
        end, n_silent, page = monotonic() + timeout_s, 0, f"run {run_id}"
        while True:
            try:
                run = JobRun.of(self._client.jobs.get_run(run_id))
            except (OSError, ValueError) as error:
                n_silent += 1
                if isinstance(error, _FINAL) or n_silent == _MOST_SILENT_POLLS:
                    raise self._refusal(f"how {page} stands", error) from error
            else:
                n_silent, page = 0, run.page
                yield run
                if run.status.ended:
                    return
            if monotonic() + self._poll_s > end:
                late = f"the run has not ended after {timeout_s:g} s"
                raise DeploymentError(f"{late} and goes on: see {page}, or give it a longer --timeout-s")
            sleep(self._poll_s)

    def exit_value(self, task: TaskRun) -> str:
        """Return what a notebook gave to `dbutils.notebook.exit`; nothing where it gave nothing."""
        with self._asking(f"the output of task {task.name}"):
            output = self._client.jobs.get_run_output(task.run_id).notebook_output
        return (output.result if output else None) or ""

    def why(self, task: TaskRun) -> str:
        """Say in one line why a task failed: a notebook's own error, else what the service says."""
        said = None
        if task.is_notebook:
            with self._asking(f"the output of task {task.name}"):
                said = self._client.jobs.get_run_output(task.run_id).error
        return _one_line(said or task.status.said or task.status.word)

    def first_row(self, warehouse_id: str, statement: str, parameters: Mapping[str, str]) -> Sequence[str | None]:
        """Run a query and return the first row of its answer, values as text.

        Args:
            warehouse_id: of the SQL warehouse that runs it.
            statement: SQL with named parameter markers.
            parameters: their values, all texts.

        Raises:
            DeploymentError: it failed, or took too long.
        """
        values = [StatementParameterListItem(name=name, value=value) for name, value in parameters.items()]
        end, client = monotonic() + _STATEMENT_LIMIT_S, self._client.statement_execution
        with self._asking(f"SQL warehouse {warehouse_id}"):
            answer = client.execute_statement(
                statement,
                warehouse_id,
                parameters=values,
                wait_timeout=_STATEMENT_WAIT,
                on_wait_timeout=AfterWait.CONTINUE,
            )
            while (status := answer.status) and status.state in (StatementState.PENDING, StatementState.RUNNING):
                if answer.statement_id is None or monotonic() > end:
                    break
                sleep(self._poll_s)
                answer = client.get_statement(answer.statement_id)
        rows = answer.result.data_array if answer.result else None
        if status is None or status.state is not StatementState.SUCCEEDED or not rows:
            said = status.error.message if status and status.error else f"it gave no row ({status and status.state})"
            raise DeploymentError(f"SQL warehouse {warehouse_id} could not count: {_one_line(said)}")
        return rows[0]

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Turn the SDK's errors into ours, in one line that says what to do."""
        try:
            yield
        except (OSError, ValueError) as error:  # all of the SDK's are one or the other
            raise self._refusal(what, error) from error

    def _refusal(self, what: str, error: Exception) -> DeploymentError:
        host, said = self._client.config.host, _one_line(error)
        match error:
            case errors.Unauthenticated():
                advice = f"renew the token, or {_LOG_IN}"
                return DeploymentError(
                    f"{host} does not take these credentials ({self._client.config.auth_type}), {said}: {advice}"
                )
            case errors.PermissionDenied():
                return DeploymentError(f"{host} refused {what}, {said}: check the token, or ask for the permission")
            case DatabricksError():
                return DeploymentError(f"{host} was asked for {what} and failed, {said}")
        cause = type(error.__cause__ or error).__name__  # the text may quote the header that holds the token
        advice = "check DATABRICKS_HOST and the credentials"
        return DeploymentError(f"{host} cannot be reached, or is no workspace ({cause}): {advice}")


def _name(user: User) -> str:
    """A user's name, or of a principal, which is a number, what people call it."""
    name = user.user_name or ""
    return user.display_name if user.display_name and _PRINCIPAL.fullmatch(name) else name


def _one_line(said: object) -> str:
    """Bring a message into one line of bearable length, without the SDK's debug information."""
    text = " ".join(_DEBUG_INFO.split(str(said))[0].split()).rstrip(".")
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."
