"""A target as it would be deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.bundle.bundle import resolved
from pipelines.errors import SettingsError
from pipelines.settings import CONFIGURATION_PREFIX, Settings, load_settings
from tests.local.bundle.seed import ROOT, SYNC, TOP

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = {"catalog": "main", "source_table": "main.docs.articles", "id_column": "id", "text_column": "body"}


def test_ours_gives_settings_that_load_the_same_for_job_and_pipeline() -> None:
    bundle = resolved(ROOT, "staging", {**GIVEN, "title_column": "title"})
    settings = load_settings(bundle.parameters("sync"), environment={})
    assert settings == Settings(
        source_table="main.docs.articles",
        catalog="main",
        schema="staging_streaming_embeddings",
        text_column="body",
        metadata_columns=("title",),
        namespace="staging",
        secret_scope="streaming_embeddings_staging",
    )
    configuration = {
        name.removeprefix(CONFIGURATION_PREFIX): text for name, text in bundle.configuration("embeddings").items()
    }
    assert configuration.items() <= bundle.parameters("sync").items()


def test_development_mode_prefixes_names_with_the_user() -> None:
    bundle = resolved(ROOT, "dev", GIVEN, user="jane.doe@example.com")
    assert bundle.is_development
    assert bundle.resources("jobs")["sync"].text("name") == "[dev jane_doe] streaming_embeddings_sync"
    assert bundle.resources("pipelines")["embeddings"].text("name") == "[dev jane_doe] streaming_embeddings"
    assert bundle.resources("schemas")["tables"].text("name") == "dev_jane_doe_streaming_embeddings"
    health = bundle.resources("dashboards")["health"]
    assert health.text("display_name").startswith("[dev jane_doe] ")
    assert health.text("dataset_schema") == "dev_jane_doe_streaming_embeddings"
    assert bundle.resources("volumes")["models"].text("name") == "models"
    assert bundle.parameters("sync")["namespace"] == "dev-jane_doe"


def test_other_targets_keep_names_as_they_are() -> None:
    bundle = resolved(ROOT, "prod", GIVEN)
    assert not bundle.is_development
    assert bundle.resources("jobs")["sync"].text("name") == "streaming_embeddings_sync"


def test_types_pass_and_a_lookup_gives_the_name_that_is_looked_up() -> None:
    bundle = resolved(ROOT, "dev", {**GIVEN, "serverless": False, "clusters": [{"num_workers": 2}]})
    pipeline = bundle.resources("pipelines")["embeddings"].plain()
    assert (pipeline["serverless"], pipeline["clusters"]) == (False, [{"num_workers": 2}])
    assert bundle.resources("dashboards")["health"].text("warehouse_id") == "Serverless Starter Warehouse"


def test_files_lie_in_the_folder_of_bundle_and_target() -> None:
    file_path = "/Workspace/Users/jo@example.com/.bundle/streaming_embeddings/dev/files"
    assert resolved(ROOT, "dev", GIVEN, user="jo@example.com").file_path == file_path


@pytest.mark.parametrize(
    ("target", "variables", "says"),
    [
        ("test", GIVEN, "there is no target 'test'; known are dev, staging, prod"),
        ("dev", {**GIVEN, "colour": "blue"}, "there is no variable 'colour'; known are catalog, "),
        ("dev", {"catalog": "main"}, "variable source_table has no value: give it one, Delta table with the documents"),
    ],
)
def test_what_cannot_be_resolved_is_refused(target: str, variables: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match="^" + says.replace(".", r"\.")):
        resolved(ROOT, target, variables)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (
            SYNC,
            "${var.slow_run_s}",
            "${var.slow_run}",
            r"^resources/sync\.job\.yml:\d+: \$\{var\.slow_run\} leads nowhere",
        ),
        (TOP, "targets:", "targets: [", r"^the bundle does not read: databricks\.yml:\d+: this is no YAML"),
    ],
)
def test_files_that_are_wrong_are_refused(copy: Path, file: str, old: str, new: str, says: str) -> None:
    (copy / file).write_text((copy / file).read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(SettingsError, match=says):
        resolved(copy, "dev", GIVEN)
