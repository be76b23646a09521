"""What agrees with what beyond `make check-bundle`: jobs, README, requirements, notebooks, layers of the code."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from local.bundle.bundle import resolved
from local.bundle.sources import Sources
from pipelines.recipe import PINS
from pipelines.settings import Settings

ROOT = Path(__file__).parent.parent
GIVEN = {"catalog": "main", "source_table": "main.docs.articles", "id_column": "id", "text_column": "body"}


def test_the_readme_lists_every_setting_with_its_meaning() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "@@" not in readme
    rows = {match[1]: match[2] for match in re.finditer(r"^\| `(\w+)` \| .* \| (.+) \|$", readme, re.MULTILINE)}
    assert {f.name: f.metadata["doc"] for f in fields(Settings)}.items() <= rows.items()


@pytest.mark.parametrize("target", ["dev", "staging", "prod"])
def test_a_setting_that_two_jobs_have_is_the_same_in_both(target: str) -> None:
    bundle = resolved(ROOT, target, GIVEN)
    seen: dict[str, str] = {}
    for job in bundle.resources("jobs"):
        parameters = bundle.parameters(job)
        assert {name: seen.get(name, text) for name, text in parameters.items()} == parameters
        seen |= parameters
    assert seen["source_table"] == "main.docs.articles"


def test_development_is_the_default_target() -> None:
    targets = Sources.read(ROOT).targets
    assert [name for name, node in targets.items() if node.text("default") == "true"] == ["dev"]
    assert resolved(ROOT, "dev", GIVEN).is_development


def test_the_job_prepares_then_updates_then_writes() -> None:
    job = resolved(ROOT, "prod", GIVEN).resources("jobs")["sync"].plain()
    order = {task["task_key"]: [before["task_key"] for before in task.get("depends_on", [])] for task in job["tasks"]}
    assert order == {"prepare": [], "pipeline": ["prepare"], "write_to_pinecone": ["pipeline"]}
    assert job["max_concurrent_runs"] == 1


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


def test_a_section_that_is_referred_to_exists() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^#+ (.+)$", operations, re.MULTILINE))
    files = [*(ROOT / "resources").glob("*.yml"), *(ROOT / ".github" / "workflows").glob("*.yml")]
    named = {name for file in files for name in re.findall(r'docs/operations\.md, "(.+?)"', file.read_text("utf-8"))}
    assert len(named) >= 5
    assert named <= sections
