"""The winner among a document's versions: one answer, whatever order the rows come in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.ids import TOMBSTONE_HASH
from pipelines.winner import Head, n_tied, winner

CURRENT = "current"


def live(version: int = 1, *, epoch: int = 0, recipe: str = CURRENT, document_hash: str = "a", n_rows: int = 2) -> Head:
    return Head(
        "d", epoch, version, deleted=False, recipe=recipe, document_hash=document_hash, n_sentences=2, n_rows=n_rows
    )


def tombstone(version: int = 1, *, epoch: int = 0, recipe: str = CURRENT) -> Head:
    return Head("d", epoch, version, deleted=True, recipe=recipe, document_hash=TOMBSTONE_HASH, n_sentences=0, n_rows=0)


HEADS = st.builds(
    live,
    st.integers(1, 3),
    epoch=st.integers(0, 1),
    recipe=st.sampled_from([CURRENT, "old", "zzz"]),
    document_hash=st.sampled_from(["a", "b"]),
) | st.builds(tombstone, st.integers(1, 3), epoch=st.integers(0, 1), recipe=st.sampled_from([CURRENT, "old"]))


@given(st.lists(HEADS, min_size=1, max_size=12), st.data())
def test_neither_order_nor_repetition_matters(heads: list[Head], data: st.DataObject) -> None:
    won = winner(heads, CURRENT)
    again = data.draw(st.permutations([*heads, *data.draw(st.lists(st.sampled_from(heads)))]))
    assert winner(again, CURRENT) == won
    assert n_tied(again, won) == n_tied(heads, won)


@given(st.lists(HEADS, min_size=1, max_size=12))
def test_nothing_outranks_the_winner(heads: list[Head]) -> None:
    won = winner(heads, CURRENT)
    newest = max((head.source_epoch, head.version) for head in heads)
    assert (won.source_epoch, won.version) == newest
    rivals = [head for head in heads if (head.source_epoch, head.version) == newest]
    assert won.deleted == all(head.deleted for head in rivals)
    alike = [head for head in rivals if head.deleted == won.deleted]
    assert (won.recipe == CURRENT) == any(head.recipe == CURRENT for head in alike)


def test_a_higher_epoch_beats_any_version() -> None:
    assert winner([live(900), tombstone(1, epoch=1)], CURRENT) == tombstone(1, epoch=1)


def test_insert_overwrite_leaves_the_document_live() -> None:
    # One commit, one version: a delete and an insert of every row.
    assert winner([live(4), tombstone(5), live(5, document_hash="b")], CURRENT) == live(5, document_hash="b")


def test_an_update_in_place_is_live_and_one_that_changes_the_id_withdraws_the_old_one() -> None:
    assert winner([live(4), tombstone(5), live(5, document_hash="b")], CURRENT).deleted is False
    assert winner([live(4), tombstone(5)], CURRENT) == tombstone(5)  # the postimage went to another doc_id


def test_the_current_recipe_wins_within_a_version_only() -> None:
    assert winner([live(2, recipe="a"), live(2)], CURRENT) == live(2)
    assert winner([live(3, recipe="old"), live(2)], CURRENT) == live(3, recipe="old")


def test_two_texts_in_one_version_are_counted_and_the_smaller_hash_taken() -> None:
    heads = [live(document_hash="b"), live(document_hash="a"), live(document_hash="c", recipe="old"), tombstone()]
    won = winner(heads, CURRENT)
    assert won.document_hash == "a"
    assert n_tied(heads, won) == 2


def test_a_version_is_complete_when_every_sentence_is_here() -> None:
    assert live(n_rows=2).is_complete
    assert not live(n_rows=1).is_complete
    assert tombstone().is_complete
