"""What stands twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.checks.doubles import doubled_items, doubled_resources
from tests.local.bundle.seed import SYNC, TOP, Seed

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (
    Seed(
        "a task key",
        doubled_items,
        SYNC,
        "        - task_key: pipeline\n          depends_on",
        "        - task_key: prepare\n          depends_on",
        "job sync has task_key 'prepare' twice, first in line",
        also=3,  # what the second one says is laid over the first
    ),
    Seed(
        "an environment key",
        doubled_items,
        SYNC,
        "      # One name everywhere",
        "        - environment_key: job\n"
        "          spec:\n"
        '            environment_version: "4"\n'
        "      # One name everywhere",
        "job sync has environment_key 'job' twice",
    ),
    Seed(
        "a parameter",
        doubled_items,
        SYNC,
        "        - name: adopt\n",
        "        - name: dry_run\n",
        "job sync has name 'dry_run' twice",
        also=1,  # no job takes adopt
    ),
    Seed(
        "a parameter in a target",
        doubled_items,
        TOP,
        "        reconcile:\n          name: streaming_embeddings_reconcile_staging\n",
        "        reconcile:\n"
        "          name: streaming_embeddings_reconcile_staging\n"
        "          parameters:\n"
        '            - {name: repair, default: "true"}\n'
        '            - {name: repair, default: "false"}\n',
        "job reconcile has name 'repair' twice",
        at='{name: repair, default: "false"}',
    ),
    Seed(
        "a resource",
        doubled_resources,
        "resources/search.job.yml",
        "    search:\n",
        "    reconcile:\n",
        "jobs.reconcile has the key of jobs.reconcile, resources/reconcile.job.yml:4",
    ),
    Seed(
        "a key in two kinds",
        doubled_resources,
        "resources/search.job.yml",
        "    search:\n",
        "    models:\n",
        "jobs.models has the key of volumes.models, resources/models.volume.yml:4",
        also=1,  # its name is not what staging's is any more
    ),
)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_found_where_it_is(seed: Seed, copy: Path) -> None:
    seed.must_be_found(copy)
