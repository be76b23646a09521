"""Mistakes in targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.checks.targets import clashes, default_target, open_secrets, production
from tests.local.bundle.seed import SYNC, TOP, Seed, edit, must_be_silent

if TYPE_CHECKING:
    from pathlib import Path

PRODUCTION = "    mode: production\n    workspace: *workspace\n    run_as: *run_as\n"
SEEDS = (
    Seed(
        "no default target",
        default_target,
        TOP,
        "    default: true\n    # Prefixes",
        "    # Prefixes",
        "no target is the default",
        at="targets:",
    ),
    Seed(
        "two default targets",
        default_target,
        TOP,
        "  staging:\n    mode",
        "  staging:\n    default: true\n    mode",
        "a second target is the default, after line",
        at="default: true",
    ),
    Seed(
        "production that is nobody's",
        production,
        TOP,
        PRODUCTION,
        "    mode: production\n",
        "target prod is production, and has neither run_as nor workspace.root_path",
        at="  prod:",
    ),
    Seed(
        "production that is everybody's",
        production,
        TOP,
        "root_path: /Workspace/Users/${var.service_principal}/",
        "root_path: /Workspace/Users/${workspace.current_user.userName}/",
        "target prod is production, and each who runs a command has a root_path of their own",
        also=1,  # and so is staging
    ),
    Seed(
        "secrets that everybody may read",
        open_secrets,
        TOP,
        "    # By resource, not for the target",
        "    permissions:\n      - level: CAN_VIEW\n        group_name: users\n    # By resource, not for the target",
        "target prod gives CAN_VIEW to all it has: of a scope that is to read its secrets",
        at="- level: CAN_VIEW",
    ),
    Seed(
        "a job's name in two targets",
        clashes,
        TOP,
        "name: streaming_embeddings_sync_staging",
        "name: streaming_embeddings_sync",
        "the name of job sync is the same in targets staging (databricks.yml:",
        found_in=SYNC,
    ),
    Seed(
        "an alert's name in two targets",
        clashes,
        TOP,
        "display_name: Streaming embeddings, lag (staging)",
        "display_name: Streaming embeddings, lag",
        "the name of alert lag is the same in targets staging (databricks.yml:",
        found_in="resources/lag.alert.yml",
    ),
    Seed(
        "a dashboard's name in two targets",
        clashes,
        TOP,
        "display_name: Streaming embeddings, health (staging)",
        "display_name: Streaming embeddings, health",
        "the name of dashboard health is the same in targets staging (databricks.yml:",
        found_in="resources/health.dashboard.yml",
    ),
    Seed(
        "a schema in two targets",
        clashes,
        TOP,
        "default: streaming_embeddings\n",
        "default: staging_streaming_embeddings\n",
        "catalog and name of schema tables is the same in targets staging (databricks.yml:",
    ),
    Seed(
        "a namespace in two targets",
        clashes,
        TOP,
        "    default: ${bundle.target}\n  secret_scope",
        "    default: documents\n  secret_scope",
        "the namespace of job sync is the same in targets staging (databricks.yml:",
        at="default: documents",
        also=2,
    ),
    Seed(
        "a secret scope in two targets",
        clashes,
        TOP,
        "default: streaming_embeddings_${bundle.target}",
        "default: keys",
        "the name of secret scope pinecone is the same in targets staging (databricks.yml:",
    ),
)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_found_where_it_is(seed: Seed, copy: Path) -> None:
    seed.must_be_found(copy)


def test_a_workspace_of_its_own_may_have_the_same_names(copy: Path) -> None:
    edit(copy, TOP, "name: streaming_embeddings_sync_staging", "name: streaming_embeddings_sync")
    own = "    workspace:\n      host: https://prod.example.com\n      root_path: /Workspace/Users/somebody\n"
    must_be_silent(copy, TOP, "    workspace: *workspace\n", own)
