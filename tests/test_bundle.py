"""The bundle's files agree with the code: settings, notebooks, requirements. Databricks itself is not asked."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.recipe import PINS
from pipelines.settings import CONFIGURATION_PREFIX, Settings, load_settings

ROOT = Path(__file__).parent.parent
SETTINGS = {setting.name for setting in fields(Settings)}
LOCAL_ONLY = {"pinecone_host"}  # another service than Pinecone
OF_RECONCILE = {"repair", "delete_foreign"}
OF_THE_RUN = {
    "max_delete_ratio",
    "max_dead_letter_ratio",
    "retry_dead_letters",
    "dry_run",
    "adopt",
    "drop_other_models",
    "forget",
    "allow_back",
}  # job parameters without a variable
# Settings whose text a target makes up of more than the variable of that name.
MADE_UP = {
    "schema": "${resources.schemas.embeddings.name}",
    "metadata_columns": "${var.title_column},${var.metadata_columns}",
    "secret_scope": "${resources.secret_scopes.pinecone.name}",
}


def read(path: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / path).read_text(encoding="utf-8")))


BUNDLE = read("databricks.yml")
PIPELINE = read("resources/embeddings.pipeline.yml")["resources"]["pipelines"]["embeddings"]
JOB = read("resources/sync.job.yml")["resources"]["jobs"]["sync"]
RECONCILE = read("resources/reconcile.job.yml")["resources"]["jobs"]["reconcile"]
SEARCH = read("resources/search.job.yml")["resources"]["jobs"]["search"]
RECONCILE_PARAMETERS = {parameter["name"]: parameter["default"] for parameter in RECONCILE["parameters"]}
PARAMETERS = {parameter["name"]: parameter["default"] for parameter in JOB["parameters"]}
CONFIGURATION = {name.removeprefix(CONFIGURATION_PREFIX): text for name, text in PIPELINE["configuration"].items()}


def test_every_setting_is_a_job_parameter() -> None:
    assert set(PARAMETERS) == SETTINGS - LOCAL_ONLY - OF_RECONCILE
    sync_alone = OF_THE_RUN - {"max_delete_ratio", "max_dead_letter_ratio"}
    assert set(RECONCILE_PARAMETERS) == SETTINGS - LOCAL_ONLY - sync_alone
    assert {name: RECONCILE_PARAMETERS[name] for name in PARAMETERS.keys() & RECONCILE_PARAMETERS} == {
        name: PARAMETERS[name] for name in PARAMETERS.keys() & RECONCILE_PARAMETERS
    }


def test_every_variable_is_described() -> None:
    assert all(variable["description"] for variable in BUNDLE["variables"].values())


def test_a_setting_comes_from_the_variable_of_its_name() -> None:
    of_a_deployment = SETTINGS - LOCAL_ONLY - OF_RECONCILE - OF_THE_RUN
    assert {name: f"${{var.{name}}}" for name in of_a_deployment} | MADE_UP == {
        name: PARAMETERS[name] for name in of_a_deployment
    }


def test_the_readme_lists_every_setting_with_its_meaning() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "@@" not in readme
    rows = {match[1]: match[2] for match in re.finditer(r"^\| `(\w+)` \| .* \| (.+) \|$", readme, re.MULTILINE)}
    assert {f.name: f.metadata["doc"] for f in fields(Settings)}.items() <= rows.items()


def test_pipeline_and_job_say_the_same() -> None:
    assert CONFIGURATION.items() <= PARAMETERS.items()


def test_defaults_are_settings_that_load() -> None:
    defaults = {name: str(variable.get("default", "")) for name, variable in BUNDLE["variables"].items()}
    given = {"catalog": "main", "source_table": "main.docs.articles", "namespace": "dev", "secret_scope": "keys"}
    chosen = {name: text for name, text in (defaults | given).items() if name in SETTINGS}
    settings = load_settings(chosen, environment={})
    assert settings == Settings(**given)


@pytest.mark.parametrize("target", ["dev", "staging", "prod"])
def test_targets_are_there(target: str) -> None:
    assert target in BUNDLE["targets"]
    assert BUNDLE["targets"][target].get("default", False) is (target == "dev")


def test_no_target_holds_a_secret_or_a_pause_status() -> None:
    # Development mode pauses a schedule only where nothing is set.
    assert "pause_status" not in str([target["resources"]["jobs"] for target in BUNDLE["targets"].values()])
    assert not any(re.search(r"pcsk_|api_key:", path.read_text()) for path in (ROOT / "resources").glob("*.yml"))


def test_every_path_of_the_bundle_exists() -> None:
    notebooks = [library["notebook"]["path"] for library in PIPELINE["libraries"]]
    notebooks += [task["notebook_task"]["notebook_path"] for task in JOB["tasks"] if "notebook_task" in task]
    notebooks += [task["notebook_task"]["notebook_path"] for task in RECONCILE["tasks"]]
    notebooks += [task["notebook_task"]["notebook_path"] for task in SEARCH["tasks"]]
    assert sorted(Path(path).stem for path in notebooks) == sorted(
        path.stem for path in (ROOT / "notebooks").glob("*.py")
    )
    assert all((ROOT / "resources" / path).resolve().is_file() for path in notebooks)
    dependencies = PIPELINE["environment"]["dependencies"] + JOB["environments"][0]["spec"]["dependencies"]
    files = [line.split("/")[-1] for line in dependencies if line.startswith("-r ")]
    assert files == ["requirements.txt", "requirements-job.txt"]
    assert all((ROOT / name).is_file() for name in files)


def test_the_job_prepares_then_updates_then_writes() -> None:
    order = {task["task_key"]: [before["task_key"] for before in task.get("depends_on", [])] for task in JOB["tasks"]}
    assert order == {"prepare": [], "pipeline": ["prepare"], "write_to_pinecone": ["pipeline"]}
    assert JOB["max_concurrent_runs"] == 1


def test_every_requirement_is_pinned_with_a_reason_and_none_is_the_runtimes() -> None:
    lines = [
        line
        for name in ("requirements.txt", "requirements-job.txt")
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    pins = {}
    for line in lines:
        pin = re.fullmatch(r"([\w-]+)==([\w.]+) +# .+", line)
        assert pin, line
        pins[pin[1]] = pin[2]
    assert not set(pins) & {"pandas", "numpy", "pyarrow", "pyspark", "dlt", "databricks-dlt"}
    assert PINS.items() <= pins.items()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert all("==" in line or line.startswith("streaming-embeddings[") for lines in extras.values() for line in lines)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.stem)
def test_a_notebook_is_thin(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.startswith("# Databricks notebook source\n# MAGIC %md\n")
    assert len(source.splitlines()) < 50
    assert not re.search(r"^\s*(for|while|if|class) ", source, re.MULTILINE)


# In the order of layers: each file imports only from those before it.
PURE = (
    "errors ids text sentences any_window window tokenizer weights settings recipe "
    "rules record report cost sender plan winner status sql tables state_tables "
    "model pooling linear packed any_encoder embedder once"
)
SPARK = (
    "rows source metadata to_raw to_documents to_sentences to_embeddings "
    "snapshot form heads changes documents guard apply place lease commit embedding_cache state_log state runs compare"
)
NETWORK = "index reader search prepare inspection survey sync forget reconcile"


def test_layers_import_only_downwards() -> None:
    layers = [*PURE.split(), *SPARK.split(), *NETWORK.split()]
    assert sorted(layers) == sorted(path.stem for path in (ROOT / "pipelines").glob("[!_]*.py"))
    for place, name in enumerate(layers):
        imported = imports(ROOT / "pipelines" / f"{name}.py")
        ours = {module.split(".")[1] for module in imported if module.startswith("pipelines.")}
        assert ours <= set(layers[:place]), name
        tops = {module.split(".")[0] for module in imported}
        assert "local" not in tops
        assert ("pinecone" in tops) == (name == "index")


def imports(path: Path) -> set[str]:
    """List what a file imports, wherever in it; `from pipelines import rules` is `pipelines.rules`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "pipelines":
            found |= {f"pipelines.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found
