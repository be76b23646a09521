"""Mistakes in variables and references."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.checks.variables import dangling, descriptions, overrides, undeclared, unused
from local.bundle.overrides import overrides_file
from tests.local.bundle.seed import PIPELINE, SYNC, TOP, VALUES, Seed, must_be_silent

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = overrides_file("dev")
SEEDS = (
    Seed("a file of values that is no JSON", overrides, GIVEN, '"id_column": ', '"id_column" ', "this is no JSON"),
    Seed("a list in place of values", overrides, GIVEN, VALUES, f"[{VALUES}]", "this is a list, no object"),
    Seed(
        "a value given twice",
        overrides,
        GIVEN,
        '"id_column": "id"',
        '"id_column": "id", "id_column": "key"',
        "this is no JSON: key 'id_column' twice",
        at="catalog",  # Python's reader does not say where
    ),
    Seed(
        "a value that is missing",
        overrides,
        GIVEN,
        ', "text_column": "body"',
        "",
        "variable text_column has no value: give it here, or set the environment variable BUNDLE_VAR_text_column",
        at="catalog",
    ),
    Seed(
        "a value of no variable",
        overrides,
        GIVEN,
        '"id_column": "id"',
        '"idcolumn": "id"',
        "there is no variable idcolumn: write id_column",
        also=1,  # and id_column has no value
    ),
    Seed(
        "a value of a variable that is looked up",
        overrides,
        GIVEN,
        '"id_column": "id"',
        '"id_column": "id", "warehouse_id": "w1"',
        "variable warehouse_id is looked up, and not read from here",
    ),
    Seed(
        "a variable without a description",
        descriptions,
        TOP,
        "    description: Name of the Pinecone key in that scope\n",
        "",
        "variable secret_key has no description",
        at="  secret_key:",
    ),
    Seed(
        "a variable that nothing refers to",
        unused,
        TOP,
        "variables:\n",
        "variables:\n  colour:\n    description: Colour of the index\n    default: blue\n",
        "variable colour is not used",
        at="  colour:",
    ),
    Seed(
        "a target's variable that is not declared",
        undeclared,
        TOP,
        "      max_silence_h: 96\n",
        "      max_silence: 96\n",
        "target staging sets variable max_silence, which is not declared",
    ),
    Seed(
        "a reference to a variable that is not there",
        dangling,
        SYNC,
        "value: ${var.slow_run_s}",
        "value: ${var.slow_run}",
        "${var.slow_run} leads nowhere, or in a circle: declare variable slow_run",
        also=1,  # slow_run_s is not used
    ),
    Seed(
        "a reference to a resource that is not there",
        dangling,
        SYNC,
        "${resources.pipelines.embeddings.id}",
        "${resources.pipelines.embedding.id}",
        "${resources.pipelines.embedding.id} leads nowhere",
    ),
    Seed(
        "a reference to a field that is not there",
        dangling,
        "resources/models.volume.yml",
        "${resources.schemas.tables.name}",
        "${resources.schemas.tables.nam}",
        "${resources.schemas.tables.nam} leads nowhere",
    ),
    Seed(
        "a reference to a field of the workspace that is not there",
        dangling,
        PIPELINE,
        "--editable ${workspace.file_path}",
        "--editable ${workspace.files_path}",
        "${workspace.files_path} leads nowhere",
    ),
    Seed(
        "variables that refer to each other",
        dangling,
        TOP,
        "default: us-east-1",
        "default: ${var.region}",
        "${var.region} leads nowhere, or in a circle",
    ),
)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_found_where_it_is(seed: Seed, copy: Path) -> None:
    seed.must_be_found(copy)


def test_a_value_may_be_written_as_no_yaml_is(copy: Path) -> None:
    must_be_silent(copy, GIVEN, '"body"', r'"body", "operators": "\ud83d\ude00"')


def test_a_value_may_come_from_the_environment(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUNDLE_VAR_text_column", "body")
    must_be_silent(copy, GIVEN, ', "text_column": "body"', "")
