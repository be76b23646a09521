"""The plan against a model of an index: whatever happened before, and wherever it stopped, it converges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pipelines.plan import DocumentPlan, plan_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.plan import HeldHashes

Index = dict[int, str]  # ordinal -> payload hash: what is really there

HASHES = st.sampled_from(["a", "b", "c"])
DESIRED = st.lists(HASHES, max_size=6)


@st.composite
def index_and_held(draw: st.DrawFn) -> tuple[Index, HeldHashes]:
    """Draw an index, and what a truthful state says of it: a hash is there, None may hide anything or nothing."""
    held = draw(st.lists(st.none() | HASHES, max_size=6))
    hidden = {i: draw(st.none() | HASHES) for i, known in enumerate(held) if known is None}
    index = {i: known or hidden[i] for i, known in enumerate(held)}
    return {i: found for i, found in index.items() if found is not None}, tuple(held)


def operations(plan: DocumentPlan, desired: Sequence[str]) -> list[tuple[int, str | None]]:
    return [*((i, desired[i]) for i in plan.upserts), *((i, None) for i in plan.deletes)]


def apply(index: Index, some: Sequence[tuple[int, str | None]]) -> Index:
    after = {**index, **{i: wanted for i, wanted in some if wanted is not None}}
    return {i: found for i, found in after.items() if (i, None) not in some}


@given(index_and_held(), DESIRED)
def test_applied_it_leaves_what_is_desired(start: tuple[Index, HeldHashes], desired: list[str]) -> None:
    index, held = start
    plan = plan_document(desired, held)
    assert apply(index, operations(plan, desired)) == dict(enumerate(desired))
    assert plan.n_unchanged == len(desired) - len(plan.upserts)


@given(
    index_and_held(),
    st.lists(st.tuples(DESIRED, st.integers(0, 12), st.randoms(use_true_random=False)), max_size=4),
    DESIRED,
)
def test_crashes_anywhere_with_plans_that_change_still_converge(
    start: tuple[Index, HeldHashes], crashed: list[tuple[list[str], int, object]], desired: list[str]
) -> None:
    index, held = start
    for wanted, n_done, random in crashed:
        plan = plan_document(wanted, held)
        held = plan.intent(held)
        todo = operations(plan, wanted)
        random.shuffle(todo)  # type: ignore[attr-defined]  # batches are sent in parallel
        index = apply(index, todo[:n_done])
        assert all(i < len(held) and held[i] in (None, found) for i, found in index.items())
    assert apply(index, operations(plan_document(desired, held), desired)) == dict(enumerate(desired))


@given(index_and_held(), DESIRED)
def test_intent_has_room_for_all_that_was_held_or_is_desired(
    start: tuple[Index, HeldHashes], desired: list[str]
) -> None:
    _, held = start
    plan = plan_document(desired, held)
    intent = plan.intent(held)
    assert len(intent) == max(len(held), len(desired))
    touched = {*plan.upserts, *plan.deletes}
    assert [i for i, known in enumerate(intent) if known is not None] == [
        i for i, known in enumerate(held) if known is not None and i not in touched
    ]


@given(DESIRED)
def test_nothing_to_do_is_an_empty_plan(desired: list[str]) -> None:
    plan = plan_document(desired, tuple(desired))
    assert plan == DocumentPlan((), (), len(desired))
    assert plan.intent(tuple(desired)) == tuple(desired)


def test_an_edit_moves_one_record_and_a_shortening_drops_the_tail() -> None:
    assert plan_document(["a", "x", "c"], ("a", "b", "c")) == DocumentPlan((1,), (), 2)
    assert plan_document(["a"], ("a", "b", "c")) == DocumentPlan((), (1, 2), 1)
    assert plan_document([], ("a", None)) == DocumentPlan((), (0, 1), 0)
    assert plan_document(["a", "b"], ("a", None)) == DocumentPlan((1,), (), 1)
