"""Mistakes in jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.checks.jobs import circles, concurrent_runs, dependencies, environment_keys, task_types
from tests.local.bundle.seed import SYNC, Seed, must_be_silent

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (
    Seed(
        "a task with no type",
        task_types,
        SYNC,
        "          pipeline_task:\n            pipeline_id: ${resources.pipelines.embeddings.id}\n",
        "",
        "job sync, task pipeline has no type",
        at="task_key: pipeline",
    ),
    Seed(
        "a task with two types",
        task_types,
        SYNC,
        "          pipeline_task:\n",
        "          run_job_task:\n            job_id: 1\n          pipeline_task:\n",
        "job sync, task pipeline has 2 types, run_job_task and pipeline_task",
        at="task_key: pipeline",
    ),
    Seed(
        "a task that waits for one that is not there",
        dependencies,
        SYNC,
        "            - task_key: prepare\n",
        "            - task_key: prepared\n",
        "job sync, task pipeline depends on task 'prepared', which is not there: name one of prepare, pipeline",
    ),
    Seed(
        "tasks that wait for each other",
        circles,
        SYNC,
        "        - task_key: prepare\n          notebook_task",
        "        - task_key: prepare\n"
        "          depends_on:\n"
        "            - task_key: write_to_pinecone\n"
        "          notebook_task",
        "job sync has tasks that wait for each other, ",
        at="depends_on:",
    ),
    Seed(
        "an environment that the job does not have",
        environment_keys,
        SYNC,
        "environment_key: job\n          disable_auto_optimization: true\n          # For a driver",
        "environment_key: jobs\n          disable_auto_optimization: true\n          # For a driver",
        "job sync, task write_to_pinecone runs in environment 'jobs', which the job does not have",
    ),
    Seed(
        "an environment of a nested task",
        environment_keys,
        SYNC,
        "          pipeline_task:\n            pipeline_id: ${resources.pipelines.embeddings.id}\n",
        "          for_each_task:\n"
        '            inputs: "[1]"\n'
        "            task:\n"
        "              task_key: each\n"
        "              pipeline_task:\n"
        "                pipeline_id: ${resources.pipelines.embeddings.id}\n"
        "              environment_key: none_such\n",
        "job sync, task each runs in environment 'none_such'",
        at="none_such",
    ),
    Seed(
        "a job that may never run",
        concurrent_runs,
        SYNC,
        "max_concurrent_runs: 1",
        "max_concurrent_runs: 0",
        "job sync has max_concurrent_runs 0",
    ),
)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_found_where_it_is(seed: Seed, copy: Path) -> None:
    seed.must_be_found(copy)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            SYNC,
            "            - task_key: pipeline\n",
            "            - task_key: pipeline\n            - task_key: prepare\n",
        ),
    ],
)
def test_a_task_may_wait_for_several(copy: Path, file: str, old: str, new: str) -> None:
    must_be_silent(copy, file, old, new)
