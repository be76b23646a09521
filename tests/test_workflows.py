"""The workflows for whoever clones this: pinned, without secrets, and what they call is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BUNDLE = yaml.safe_load((ROOT / "databricks.yml").read_text(encoding="utf-8"))


def steps(path: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_there_is_one_for_tests_one_for_validation_and_one_for_deployment() -> None:
    assert [path.stem for path in WORKFLOWS] == ["deploy", "test", "validate"]


def test_an_action_is_pinned_to_a_commit_and_says_its_version(workflow: Path) -> None:
    used = re.findall(r"uses: (.+)", workflow.read_text(encoding="utf-8"))
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", action) for action in used), used


def test_it_holds_no_secret_and_may_write_nothing(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert set(yaml.safe_load(text)["permissions"].items()) <= {("contents", "read"), ("id-token", "write")}


def test_what_would_destroy_waits_for_a_person(workflow: Path) -> None:
    assert not any("--auto-approve" in step.get("run", "") for step in steps(workflow))


def test_every_make_target_it_calls_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    called = [step["run"].split()[1:] for step in steps(ROOT / ".github/workflows/test.yml") if "run" in step]
    assert {target for targets in called for target in targets} == {"lint", "check-bundle", "test", "test-long"}
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for targets in called for target in targets)


@pytest.mark.parametrize("name", ["deploy", "validate"])
def test_variables_come_from_the_environment_and_the_targets_exist(name: str) -> None:
    jobs = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text(encoding="utf-8"))["jobs"]
    for job in jobs.values():
        given = {key.removeprefix("BUNDLE_VAR_") for key in job["env"] if key.startswith("BUNDLE_VAR_")}
        assert given == {"service_principal"} <= set(BUNDLE["variables"])
        runs = [step.get("run", "") for step in job["steps"]]
        (written,) = (place for place, run in enumerate(runs) if "variable-overrides.json" in run)
        assert all("bundle" not in run for run in runs[:written])
    targets = jobs["validate"]["strategy"]["matrix"]["target"] if name == "validate" else list(jobs)
    assert set(targets) <= set(BUNDLE["targets"])


def test_production_comes_after_staging_went_well() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["prod"]["needs"] == "staging"
    assert all(job["environment"] == name for name, job in jobs.items())
