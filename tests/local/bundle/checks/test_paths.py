"""Paths that lead nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.checks.paths import excluded, files, headers, included, python, requirements
from tests.local.bundle.seed import PIPELINE, SYNC, TOP, Seed, must_be_silent

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (
    Seed(
        "a pipeline's notebook",
        files,
        PIPELINE,
        "path: ../notebooks/gold.py",
        "path: ../notebooks/golden.py",
        "pipeline embeddings names ../notebooks/golden.py, which is no file",
    ),
    Seed(
        "a task's notebook",
        files,
        SYNC,
        "notebook_path: ../notebooks/prepare.py",
        "notebook_path: notebooks/prepare.py",
        "job sync names notebooks/prepare.py, which is no file",
        also=0,
    ),
    Seed(
        "a glob of libraries",
        files,
        PIPELINE,
        "        - notebook:\n            path: ../notebooks/gold.py\n",
        "        - notebook:\n"
        "            path: ../notebooks/gold.py\n"
        "        - glob:\n"
        "            include: ../transformations/**\n",
        "pipeline embeddings takes ../transformations/**, which matches no file",
        at="include:",
    ),
    Seed(
        "a dashboard's file",
        files,
        "resources/health.dashboard.yml",
        "file_path: health.lvdash.json",
        "file_path: sickness.lvdash.json",
        "dashboard health names sickness.lvdash.json, which is no file",
    ),
    Seed(
        "an include",
        included,
        TOP,
        "  - resources/*.yml\n",
        "  - resources/*.yml\n  - more/*.yml\n",
        "include more/*.yml matches no file",
        at="more/*.yml",
    ),
    Seed(
        "the pipeline's requirements",
        requirements,
        PIPELINE,
        "-r ${workspace.file_path}/requirements.txt",
        "-r ${workspace.file_path}/requirement.txt",
        "pipeline embeddings installs requirement.txt, which is not there",
    ),
    Seed(
        "a job's requirements",
        requirements,
        SYNC,
        "-r ${workspace.file_path}/requirements-job.txt",
        "-r ../requirement-job.txt",
        "job sync installs requirement-job.txt, which is not there",
    ),
    Seed(
        "a package",
        requirements,
        SYNC,
        "--editable ${workspace.file_path}",
        "--editable ${workspace.file_path}/package",
        "job sync installs package, which is not there",
    ),
    Seed(
        "a notebook's header",
        headers,
        "notebooks/prepare.py",
        "# Databricks notebook source\n",
        "# A notebook\n",
        "the first line does not say that this is a notebook: write '# Databricks notebook source'",
    ),
    Seed(
        "a notebook that does not parse",
        python,
        "notebooks/prepare.py",
        "prepared = prepare(spark, settings, api_key)",
        "prepared = prepare(spark settings, api_key)",
        "this is no Python: ",
    ),
    Seed(
        "a pattern of what is not deployed",
        excluded,
        TOP,
        "    - docs/**",
        "    - documents/**",
        "sync.exclude documents/** matches no file",
    ),
    Seed(
        "a pattern of files that are needed",
        excluded,
        TOP,
        "    - docs/**",
        "    - pipelines/**",
        "sync.exclude pipelines/** keeps pipelines from the workspace",
    ),
)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_found_where_it_is(seed: Seed, copy: Path) -> None:
    seed.must_be_found(copy)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (SYNC, "path: ../notebooks/prepare.py", "path: /Workspace/Shared/prepare"),
        (SYNC, "-r ${workspace.file_path}/requirements-job.txt", "-r /Volumes/main/shared/requirements.txt"),
        (SYNC, "-r ${workspace.file_path}/requirements-job.txt", "-r ../requirements-job.txt"),
        (SYNC, "-r ${workspace.file_path}/requirements-job.txt", "pinecone==10.2.0"),
        (TOP, "    - docs/**", '    - docs/\n    - "*.toml"\n    - /docs/*\n    - "!docs/file"'),
        (
            PIPELINE,
            "      libraries:\n",
            "      libraries:\n        - glob:\n            include: ../local/**\n",
        ),
    ],
)
def test_what_lies_elsewhere_passes(copy: Path, file: str, old: str, new: str) -> None:
    must_be_silent(copy, file, old, new)
