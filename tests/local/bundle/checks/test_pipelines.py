"""Mistakes in pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.checks.pipelines import channels_and_editions, clusters_on_serverless, names, one_schema
from tests.local.bundle.seed import PIPELINE, TOP, Seed, edit, must_be_silent

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (
    Seed(
        "a channel that does not exist",
        channels_and_editions,
        PIPELINE,
        "channel: CURRENT",
        "channel: STABLE",
        "pipeline embeddings has the unknown channel 'STABLE': write CURRENT or PREVIEW",
    ),
    Seed(
        "an edition that does not exist",
        channels_and_editions,
        PIPELINE,
        "      channel: CURRENT\n",
        "      channel: CURRENT\n      edition: PREMIUM\n",
        "pipeline embeddings has the unknown edition 'PREMIUM'",
        at="edition: PREMIUM",
    ),
    Seed(
        "clusters on serverless compute",
        clusters_on_serverless,
        TOP,
        "    type: complex\n    default: []\n  extra_index",
        "    type: complex\n    default:\n      - num_workers: 1\n  extra_index",
        "pipeline embeddings is serverless and has clusters",
        at="default:",
    ),
    Seed(
        "no name",
        names,
        PIPELINE,
        "      name: streaming_embeddings\n",
        "",
        "pipeline embeddings has no name",
        at="    embeddings:",
    ),
    Seed(
        "no schema",
        one_schema,
        PIPELINE,
        "      schema: ${resources.schemas.tables.name}\n",
        "",
        "pipeline embeddings has no schema",
        at="    embeddings:",
    ),
    Seed(
        "schema and its old name",
        one_schema,
        PIPELINE,
        "      channel: CURRENT\n",
        "      target: elsewhere\n",
        "pipeline embeddings has both schema and target",
    ),
)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_found_where_it_is(seed: Seed, copy: Path) -> None:
    seed.must_be_found(copy)


def test_classic_compute_may_have_clusters(copy: Path) -> None:
    edit(copy, TOP, "for classic\n    default: true\n", "for classic\n    default: false\n")
    clusters = "    type: complex\n    default: []\n  extra_index"
    must_be_silent(copy, TOP, clusters, clusters.replace("[]", "[{num_workers: 1}]"))


def test_words_count_in_either_case(copy: Path) -> None:
    must_be_silent(copy, PIPELINE, "channel: CURRENT", "channel: preview\n      edition: advanced")
