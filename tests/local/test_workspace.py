"""What `smoke` asks a workspace, and each way in which that fails: one line, status 1. The SDK is the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.cli import main
from tests.local.deployment import JOB, TOKEN, Smoke, deployed
from tests.local.workspace import RUN_PAGE, serving

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("workspace")  # the SDK takes seconds to import: in one process alone


@pytest.mark.parametrize(
    ("target", "user", "name"),
    [
        ("dev", {"userName": "Ada.M..Lovelace@example.com"}, "[dev ada_m_lovelace] streaming_embeddings_sync"),
        (
            "dev",
            {"userName": "0a1b2c3d-0000-1111-2222-333344445555", "displayName": "CI bot"},
            "[dev ci_bot] streaming_embeddings_sync",
        ),
        ("staging", {"userName": "ada@example.com"}, "streaming_embeddings_sync_staging"),
        ("prod", {"userName": "ada@example.com"}, "streaming_embeddings_sync"),
    ],
)
def test_the_job_is_the_one_that_the_bundle_deploys_for_a_target(
    smoke: Smoke, target: str, user: dict[str, str], name: str
) -> None:
    workspace = deployed()
    workspace.user, workspace.jobs = user, {5: name}
    assert smoke(workspace, "--target", target)[0] == 0


def test_where_nothing_was_deployed_it_says_how(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.jobs = {5: "another"}
    line = smoke.refused(workspace)
    assert f"has no job '{JOB}'" in line
    assert line.endswith("deploy first: databricks bundle deploy -t dev")


def test_two_jobs_of_that_name_are_named_by_their_ids(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.jobs = {5: JOB, 6: JOB}
    assert f"has 2 jobs '{JOB}' (5, 6)" in smoke.refused(workspace)
    assert not workspace.counts["/api/2.2/jobs/run-now"]


def test_what_the_command_does_not_take_is_found_before_the_workspace_is_asked(smoke: Smoke) -> None:
    workspace = deployed()
    assert smoke.refused(workspace, "--target", "test") == "--target is test; allowed is dev, staging, prod"
    assert smoke.refused(workspace, "--poll-s", "0") == "--poll-s is 0; allowed is more than 0"
    assert not workspace.counts


@pytest.mark.parametrize(
    ("status", "said"), [(401, "does not take these credentials (pat), Expired"), (403, "refused")]
)
def test_a_wrong_token_is_one_line_that_holds_no_token(smoke: Smoke, status: int, said: str) -> None:
    workspace = deployed()
    workspace.token, workspace.refusal = "another", (status, "Expired.\nAsk for another.")
    line = smoke.refused(workspace)
    assert said in line
    assert "token" in line
    assert "Config: " not in line


def test_a_token_that_cannot_even_be_sent_is_not_quoted(smoke: Smoke) -> None:
    smoke.monkeypatch.setenv("DATABRICKS_TOKEN", f"{TOKEN}\nline")
    assert "(ValueError)" in smoke.refused(deployed())


def test_a_host_that_is_not_there_is_one_line(smoke: Smoke, caplog: pytest.LogCaptureFixture) -> None:
    with serving(deployed()) as gone:
        pass
    said = "cannot be reached, or is no workspace (ConnectionError): check DATABRICKS_HOST and the credentials"
    assert smoke.refused(gone) == f"{gone} {said}"
    assert not caplog.records  # the SDK's own warning would stand on stderr beside ours


def test_a_host_that_is_no_workspace_is_one_line(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.is_workspace = False
    assert "or is no workspace (JSONDecodeError)" in smoke.refused(workspace)


def test_without_credentials_it_says_where_to_put_them(smoke: Smoke) -> None:
    smoke.monkeypatch.delenv("DATABRICKS_TOKEN")
    line = smoke.refused(deployed())
    assert line.startswith("no Databricks credentials, ")
    assert line.endswith("databricks auth login` and name its --profile")


def test_a_profile_gives_host_and_token(smoke: Smoke, tmp_path: Path) -> None:
    workspace = deployed()
    with serving(workspace) as url:
        (tmp_path / "databrickscfg").write_text(f"[mine]\nhost = {url}\ntoken = {TOKEN}\n")
        smoke.monkeypatch.delenv("DATABRICKS_TOKEN")
        smoke.monkeypatch.delenv("DATABRICKS_HOST", raising=False)
        assert main(["smoke", "--poll-s", "0.001", "--profile", "mine"]) == 0
    assert "has no other profile" in smoke.refused(workspace, "--profile", "other")


def test_a_profile_file_that_does_not_read_is_not_quoted(smoke: Smoke, tmp_path: Path) -> None:
    (tmp_path / "databrickscfg").write_text(f"token = {TOKEN}\n")
    line = smoke.refused(deployed(), "--profile", "mine")
    assert line == "the Databricks profiles cannot be read (MissingSectionHeaderError): mend them"


def test_a_notebook_that_fails_is_named_with_its_error_and_page(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.fails, workspace.error = "prepare", "SourceError: no change feed\n  at line 3"
    line = smoke.refused(workspace)
    assert line == f"task prepare failed, SourceError: no change feed at line 3: see {RUN_PAGE}/prepare"


def test_a_pipeline_that_fails_is_named_with_what_the_service_says(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.fails = "pipeline"
    line = smoke.refused(workspace)
    assert line == f"task pipeline failed, ended with RUN_EXECUTION_ERROR: see {RUN_PAGE}/pipeline"


def test_a_task_that_succeeds_when_tried_again_has_succeeded(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.retried = "prepare"
    status, out, _ = smoke(workspace)
    assert status == 0
    assert "✗ prepare " in out
    assert "✓ prepare, attempt 2 " in out


def test_a_run_that_ends_badly_without_a_failed_task_says_how(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.ending = "USER_CANCELED"
    line = smoke.refused(workspace)
    assert line == f"the run ended as user canceled, ended with USER_CANCELED: see {RUN_PAGE}"


def test_a_run_that_takes_too_long_is_left_running_and_named(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.ends = False
    line = smoke.refused(workspace, "--timeout-s", "0.05")
    assert line == f"the run has not ended after 0.05 s and goes on: see {RUN_PAGE}, or give it a longer --timeout-s"
    assert workspace.counts["/api/2.2/jobs/runs/get"] > 2


def test_looks_that_fail_in_passing_are_made_again(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.n_bad_gateways = 9
    assert smoke(workspace)[0] == 0


def test_a_workspace_that_stays_silent_is_given_up(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.n_bad_gateways = 10
    assert "failed, bad gateway" in smoke.refused(workspace)


def test_a_job_of_another_release_is_not_even_started(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.parameters["nmespace"] = "x"
    line = smoke.refused(workspace)
    said = "unknown setting nmespace; did you mean namespace?"
    assert line == f"job {JOB} is not of this checkout, {said}: deploy again"
    assert not workspace.counts["/api/2.2/jobs/run-now"]


def test_without_a_warehouse_the_job_is_not_even_started(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.warehouses = ()
    assert smoke.refused(workspace).endswith("lists no SQL warehouse that you may use: make one")
    workspace.warehouses = ("w1", "w2")
    assert smoke.refused(workspace, "--warehouse-id", "w3") == "--warehouse-id is w3; the workspace lists w1, w2"
    assert not workspace.counts["/api/2.2/jobs/run-now"]


@pytest.mark.parametrize(("flags", "number"), [((), "w1"), (("--warehouse-id", "w2"), "w2")])
def test_a_warehouse_that_sleeps_is_waited_for(smoke: Smoke, flags: tuple[str, ...], number: str) -> None:
    workspace = deployed()
    workspace.n_slow_looks = 3
    assert smoke(workspace, *flags)[0] == 0
    assert workspace.asked["/api/2.0/sql/statements"]["warehouse_id"] == number
    assert workspace.counts["/api/2.0/sql/statements/s1"] == 3


def test_a_query_that_fails_is_one_line(smoke: Smoke) -> None:
    workspace = deployed()
    workspace.sql_error = "[TABLE_OR_VIEW_NOT_FOUND]\nno such table"
    assert smoke.refused(workspace) == "SQL warehouse w1 could not count: [TABLE_OR_VIEW_NOT_FOUND] no such table"
