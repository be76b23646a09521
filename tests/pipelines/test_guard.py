"""What the guard refuses, and that what it says is enough is enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipelines.changes import Summary
from pipelines.errors import SyncRefused
from pipelines.guard import MIN_GUARDED_RECORDS, Guard
from pipelines.settings import Settings

SETTINGS = Settings(source_table="a.b")
SUMMARY = Summary(
    n_documents=9,
    n_sentences=9,
    n_changed=9,
    n_pending=0,
    n_pending_recipe=0,
    n_tied=0,
    n_gone=0,
    n_reshaped=0,
    n_held_live=0,
    n_held=MIN_GUARDED_RECORDS,
    n_known=0,
    n_deletes=0,
    n_same=0,
    n_desired=0,
    n_waiting=0,
    held_models=frozenset(),
    new_models=frozenset(),
)


def check(settings: Settings = SETTINGS, **counts: Any) -> None:
    Guard(replace(SUMMARY, **counts), settings).check()


def test_ids_missing_from_the_source_prove_nothing_where_other_columns_made_the_documents() -> None:
    with pytest.raises(SyncRefused, match=r"^2 documents were made by other settings.* run a full refresh"):
        check(n_gone=1, n_reshaped=2)
    check(n_gone=1)
    check(n_reshaped=2)


@pytest.mark.parametrize(("n_held", "n_deletes"), [(0, 0), (99, 99), (100, 20), (1000, 200)])
def test_the_guard_lets_a_small_share_pass_and_any_of_a_small_namespace(n_held: int, n_deletes: int) -> None:
    check(n_held=n_held, n_deletes=n_deletes)


@pytest.mark.parametrize(("n_held", "n_deletes"), [(100, 21), (100, 29), (1000, 201), (333, 100), (700, 700)])
def test_the_ratio_that_a_refusal_names_is_enough(n_held: int, n_deletes: int) -> None:
    with pytest.raises(SyncRefused) as caught:
        check(n_held=n_held, n_deletes=n_deletes)
    settings = replace(SETTINGS, max_delete_ratio=float(str(caught.value).rsplit("=", 1)[1]))
    check(settings, n_held=n_held, n_deletes=n_deletes)


def test_the_guard_keeps_two_models_apart() -> None:
    with pytest.raises(SyncRefused) as caught:
        check(held_models=frozenset({"oldest", "older", "new"}), new_models=frozenset({"new"}))
    assert str(caught.value) == (
        "namespace __default__ holds vectors of older, oldest, and the settings say another model: "
        "vectors of two models never mix, choose another namespace"
    )


def test_deletes_that_no_plan_knew_of_count_too() -> None:
    guard = Guard(replace(SUMMARY, n_deletes=15), SETTINGS)
    guard.check()
    guard.allow_deletes(3)
    guard.allow_deletes(2)
    with pytest.raises(SyncRefused, match=r"^this sync would delete 21 of 100 records \(21%\)"):
        guard.allow_deletes(1)
