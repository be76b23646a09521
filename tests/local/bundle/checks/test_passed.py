"""Settings that do not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.checks.passed import unknown, unlike, unloadable, unpassed, unreachable
from local.bundle.overrides import overrides_file
from tests.local.bundle.seed import PIPELINE, SYNC, Seed, must_be_silent

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (
    Seed(
        "a parameter that a task reads",
        unpassed,
        SYNC,
        "        - name: text_column\n          default: ${var.text_column}\n",
        "",
        "job sync does not pass setting text_column, which its notebooks read: add text_column to its parameters",
        at="parameters:",
    ),
    Seed(
        "a parameter that only the search reads",
        unpassed,
        "resources/search.job.yml",
        "        - name: precision\n          default: ${var.precision}\n",
        "",
        "job search does not pass setting precision",
        at="parameters:",
    ),
    Seed(
        "a configuration that a notebook reads through another module",
        unpassed,
        PIPELINE,
        "        streaming_embeddings.version_column: ${var.version_column}\n",
        "",
        "pipeline embeddings does not pass setting version_column",
        at="configuration:",
    ),
    Seed(
        "a setting for one run that no job takes",
        unreachable,
        SYNC,
        '        - name: allow_back\n          default: ""\n',
        "",
        "no job has a parameter for setting allow_back, which job sync reads",
        at="parameters:",
    ),
    Seed(
        "a parameter that is no setting",
        unknown,
        SYNC,
        "- name: dry_run",
        "- name: dryrun",
        "job sync passes dryrun, which is no setting",
        also=1,  # no job takes dry_run
    ),
    Seed(
        "a configuration that is no setting",
        unknown,
        PIPELINE,
        "        streaming_embeddings.namespace:",
        "        streaming_embeddings.name_space:",
        "pipeline embeddings passes name_space, which is no setting",
        also=1,  # namespace is not passed
    ),
    Seed(
        "a configuration without its prefix",
        unknown,
        PIPELINE,
        "        streaming_embeddings.namespace:",
        "        namespace:",
        "pipeline embeddings passes namespace without streaming_embeddings., which is no setting",
        also=1,  # namespace is not passed
    ),
    Seed(
        "a value that the settings refuse",
        unloadable,
        SYNC,
        'default: "0.2"',
        'default: "20%"',
        "job sync: setting max_delete_ratio is '20%'; allowed is a number (float)",
        at="- name: max_delete_ratio",
    ),
    Seed(
        "a value that the settings refuse, filled in",
        unloadable,
        overrides_file("dev"),
        '"main.docs.articles"',
        '"articles"',
        "job sync: setting source_table is 'articles'; allowed is schema.table",
        at="- name: source_table",
        found_in=SYNC,
        also=3,  # the other jobs and the pipeline
    ),
    Seed(
        "a setting that job and pipeline have otherwise",
        unlike,
        PIPELINE,
        "streaming_embeddings.precision: ${var.precision}",
        "streaming_embeddings.precision: bfloat16",
        "job sync has another precision than pipeline embeddings",
        at="name: precision",
        found_in=SYNC,
        also=2,
    ),
)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_found_where_it_is(seed: Seed, copy: Path) -> None:
    seed.must_be_found(copy)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            PIPELINE,
            "      configuration:\n",
            "      configuration:\n        spark.sql.ansi.enabled: true\n        pipelines.trigger.interval: 1 hour\n",
        ),
    ],
)
def test_what_is_not_ours_to_know_passes(copy: Path, file: str, old: str, new: str) -> None:
    must_be_silent(copy, file, old, new)
