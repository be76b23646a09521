"""What Databricks' own dataclasses refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.checks.shapes import kinds, shapes
from tests.local.bundle.seed import SYNC, Seed

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (
    Seed(
        "an unknown field of a job",
        shapes,
        SYNC,
        "      timeout_seconds: ${var.timeout_s}",
        "      timeout_second: 5\n      timeout_seconds: ${var.timeout_s}",
        "job sync: Unexpected field 'timeout_second' for class Job: remove it",
    ),
    Seed(
        "an unknown field deep in a task",
        shapes,
        SYNC,
        "            notebook_path: ../notebooks/write_to_pinecone.py",
        "            notebook_path: ../notebooks/write_to_pinecone.py\n            parameters: {}",
        "job sync: Unexpected field 'parameters' for class NotebookTask",
        at="parameters: {}",
    ),
    Seed(
        "a missing field",
        shapes,
        "resources/models.volume.yml",
        "      catalog_name: ${var.catalog}\n",
        "",
        "volume models: 'catalog_name' is missing: add it",
        at="    models:",
    ),
    Seed(
        "a value of another type",
        shapes,
        SYNC,
        "value: ${var.slow_run_s}",
        "value: ${var.slow_run_s}s",
        "job sync: ",
    ),
    Seed(
        "a value that is none of the words",
        shapes,
        "resources/models.volume.yml",
        "volume_type: MANAGED",
        "volume_type: OURS",
        "volume models: 'OURS' is not a valid VolumeType: write one of",
    ),
    Seed(
        "a permission on a secret scope",
        shapes,
        "resources/pinecone.scope.yml",
        "      name: ${var.secret_scope}\n",
        "      name: ${var.secret_scope}\n"
        "      permissions:\n"
        "        - level: CAN_MANAGE\n"
        "          group_name: users\n",
        "'CAN_MANAGE' is not a valid SecretScopePermissionLevel: write one of READ, WRITE, MANAGE",
        at="level: CAN_MANAGE",
    ),
    Seed(
        "a field of an alert",
        shapes,
        "resources/sync.alert.yml",
        "comparison_operator: GREATER_THAN",
        "comparison_operator: MORE_THAN",
        "alert no_good_sync: 'MORE_THAN' is not a valid ComparisonOperator",
    ),
    Seed(
        "a kind of resource that is not checked",
        kinds,
        "resources/models.volume.yml",
        "  volumes:\n",
        "  volume:\n",
        "resources of kind volume are not checked",
        also=1,  # what production says of the volume is all there is of it
    ),
)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_found_where_it_is(seed: Seed, copy: Path) -> None:
    seed.must_be_found(copy)
