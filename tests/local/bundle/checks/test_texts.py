"""Addresses that are none, and secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.checks.texts import addresses, secrets
from tests.local.bundle.seed import SYNC, TOP, Seed, must_be_silent

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (
    Seed(
        "an address of a job",
        addresses,
        TOP,
        "    type: complex\n    default: []\n  pipeline_notifications",
        "    type: complex\n    default:\n      - someone@example\n  pipeline_notifications",
        "'someone@example' is to be notified, and is no email address",
        at="- someone@example",
    ),
    Seed(
        "an address of an alert",
        addresses,
        TOP,
        "    type: complex\n    default: []\n  warehouse_id",
        "    type: complex\n    default:\n      - user_email: someone\n  warehouse_id",
        "'someone' is to be notified, and is no email address",
        at="user_email: someone",
    ),
    Seed(
        "a key of Pinecone",
        secrets,
        TOP,
        "    default: pinecone_api_key\n",
        "    default: pcsk_4Xample\n",
        "this looks like a secret: revoke it",
    ),
    Seed(
        "a key by its name, in a comment",
        secrets,
        SYNC,
        "      # One name everywhere",
        "      # api_key: 4Xample\n      # One name everywhere",
        "this looks like a secret",
    ),
)


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_mistake_is_found_where_it_is(seed: Seed, copy: Path) -> None:
    seed.must_be_found(copy)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (SYNC, "      # One name everywhere", "      # token: ${var.secret_key}\n      # One name everywhere"),
        (TOP, "default: pinecone_api_key", "default: api_key"),
        (
            TOP,
            "    type: complex\n    default: []\n  pipeline_notifications",
            "    type: complex\n    default: [jane.o'neil+x@mail.example.co.uk]\n  pipeline_notifications",
        ),
    ],
)
def test_names_of_secrets_and_references_to_them_pass(copy: Path, file: str, old: str, new: str) -> None:
    must_be_silent(copy, file, old, new)
