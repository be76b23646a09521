"""What a worker remembers, without Spark."""

from __future__ import annotations

import pytest

from pipelines import once
from pipelines.embedder import Embedder
from pipelines.errors import ModelError
from pipelines.once import Once, shared_once
from pipelines.weights import fingerprint

EXPECTED = fingerprint(None, "float32")


def test_of_equal_texts_only_the_first_is_embedded_in_this_batch_and_the_next() -> None:
    mine = Once(None, "float32", EXPECTED)
    vectors, embedded = mine.embed(["One.", "Two.", "One."])
    assert embedded == [True, True, False]
    assert vectors[0].tobytes() == vectors[2].tobytes() != vectors[1].tobytes()
    assert all(vector.base is None for vector in vectors)  # else one that stays keeps its whole batch
    again, embedded = mine.embed(["Three.", "One."])
    assert embedded == [True, False]
    assert again[1].tobytes() == vectors[0].tobytes()


def test_where_nothing_is_to_be_embedded_no_model_is_loaded() -> None:
    n_loads = Embedder.n_loads
    assert Once("/nowhere", "float32", EXPECTED).embed([]) == ([], [])
    assert Embedder.n_loads == n_loads


def test_it_remembers_so_many_and_what_came_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "MAX_KEPT", 2)
    mine = Once(None, "float32", EXPECTED)
    mine.embed(["One.", "Two."])
    assert mine.embed(["One.", "Three."])[1] == [False, True]
    assert mine.embed(["One.", "Two."])[1] == [False, True]
    assert mine.embed(["a", "b", "c", "a"])[1] == [True, True, True, False]  # more than it remembers, in one batch


def test_an_attempt_of_a_stage_begins_anew() -> None:
    first = shared_once(None, "float32", EXPECTED, (1, 0))
    assert shared_once(None, "float32", EXPECTED, (1, 0)) is first
    assert shared_once(None, "float32", EXPECTED, (1, 1)) is not first


def test_a_model_other_than_the_settings_say_is_refused() -> None:
    with pytest.raises(ModelError, match=r"the model that ran is all-MiniLM.*, the settings say another"):
        Once(None, "float32", "another").embed(["One."])
