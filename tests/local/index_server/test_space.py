"""Vectors in memory: any history of puts and removals, and exact scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.index_server.limits import Record
from local.index_server.space import METRICS, Space
from local.index_server.vectors import SparseVector

DIMENSION = 4
record_ids = st.integers(0, 40).map(lambda number: f"{number % 3}#{number}")
histories = st.lists(st.tuples(st.sampled_from(["put", "put", "remove"]), record_ids), max_size=120)


def record(record_id: str, seed: int = 0) -> Record:
    rng = np.random.default_rng([seed, *record_id.encode()])
    values, size = rng.standard_normal(DIMENSION).astype(np.float32), int(rng.integers(0, 4))
    drawn = SparseVector(rng.permutation(6)[:size].astype(np.uint32), rng.standard_normal(size).astype(np.float32))
    return Record(record_id, values, {"seed": float(seed)}, drawn if size else None)


@given(histories)
def test_a_space_holds_what_a_dictionary_would(history: list[tuple[str, str]]) -> None:
    space, model = Space(DIMENSION), dict[str, Record]()
    for step, (kind, record_id) in enumerate(history):
        if kind == "put":
            model[record_id] = record(record_id, step)
            space.put(model[record_id])
        else:
            model.pop(record_id, None)
            space.remove(record_id)
        assert space.ids(prefix="", after="", limit=1000) == sorted(model)
    assert len(space) == len(model)
    for record_id, expected in model.items():
        held = space.get(record_id)
        assert held is not None
        assert held.metadata == expected.metadata
        assert held.values is not None
        assert expected.values is not None
        assert held.values.tobytes() == expected.values.tobytes()
        assert held.sparse is expected.sparse


def dot(one: SparseVector, other: SparseVector) -> float:
    held = dict(zip(other.indices.tolist(), other.values.tolist(), strict=True))
    return sum(value * held.get(index, 0.0) for index, value in zip(one.indices.tolist(), one.values, strict=True))


QUERY = SparseVector(np.array([0, 3, 9], np.uint32), np.array([0.5, -2.0, 1.0], np.float32))


@given(histories)
def test_sparse_products_are_those_of_the_records_that_are_there(history: list[tuple[str, str]]) -> None:
    space, model = Space(None), dict[str, SparseVector]()
    for step, (kind, record_id) in enumerate(history):
        drawn = record(record_id, step).sparse
        if kind == "put" and drawn is not None:
            model[record_id] = drawn
            space.put(Record(record_id, None, {}, drawn))
        else:
            model.pop(record_id, None)
            space.remove(record_id)
    shared = {name: dot(QUERY, it) for name, it in model.items() if {0, 3, 9} & set(it.indices.tolist())}
    found = {held.id: score for held, score in space.nearest(None, QUERY, "dotproduct", 1000)}
    assert found == pytest.approx(shared, abs=1e-5)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_hybrid_score_is_the_sum_of_both_products_and_finds_every_record() -> None:
    space = Space(2)
    space.put(Record("both", np.array([1, 0], np.float32), {}, QUERY))
    space.put(Record("dense", np.array([2, 0], np.float32), {}))
    found = space.nearest(np.array([3, 0], np.float32), QUERY, "dotproduct", 5)
    assert {held.id: score for held, score in found} == {"both": 3 + 5.25, "dense": 6.0}


@pytest.mark.parametrize("top_k", [1, 2, 3, 7, 8])
def test_of_equal_scores_the_older_record_comes_first(top_k: int) -> None:
    space = Space(1)
    for name, value in zip("abcdefg", [1, 5, 1, 5, 1, 5, 9], strict=True):
        space.put(Record(name, np.array([value], np.float32), {}))
    found = space.nearest(np.ones(1, np.float32), None, "dotproduct", top_k)
    assert "".join(held.id for held, _ in found) == "gbdface"[:top_k]


def test_a_copy_is_a_space_of_its_own() -> None:
    space = Space(DIMENSION)
    space.put(record("a"))
    other = space.copy()
    other.remove("a")
    space.put(record("b"))
    assert (space.ids("", "", 9), other.ids("", "", 9)) == (["a", "b"], [])


def test_a_space_grows_and_shrinks_without_losing_a_record() -> None:
    space = Space(DIMENSION)
    for seed in range(500):
        space.put(record(f"r{seed}", seed))
    order = np.random.default_rng(0).permutation(500).tolist()
    for seed in order[:470]:
        space.remove(f"r{seed}")
    for seed in order[470:]:
        held = space.get(f"r{seed}")
        assert held is not None
        assert held.values is not None
        assert held.values.tolist() == record(f"r{seed}", seed).values.tolist()  # type: ignore[union-attr]  # it has some
    assert space._values.nbytes < 500 * DIMENSION * 4 // 2


@given(st.sets(record_ids), st.sampled_from(["", "0", "1#", "1#1", "9"]), st.integers(1, 5))
def test_pages_of_ids_follow_each_other_without_gap_or_overlap(ids: set[str], prefix: str, limit: int) -> None:
    space = Space(DIMENSION)
    for record_id in ids:
        space.put(record(record_id))
    seen: list[str] = []
    while page := space.ids(prefix, seen[-1] if seen else "", limit):
        assert len(page) <= limit
        seen += page
    assert seen == sorted(record_id for record_id in ids if record_id.startswith(prefix))


@pytest.mark.parametrize("metric", METRICS)
@given(st.sets(record_ids, min_size=1), st.integers(1, 50))
def test_nearest_agrees_with_double_precision(metric: str, ids: set[str], top_k: int) -> None:
    space, query = Space(DIMENSION), record("query").values
    for record_id in ids:
        space.put(record(record_id))

    def score(record_id: str) -> float:
        one, other = record(record_id).values.astype(float), query.astype(float)
        if metric == "euclidean":
            return float(((one - other) ** 2).sum())
        lengths = np.linalg.norm(one) * np.linalg.norm(other) if metric == "cosine" else 1.0
        return float(one @ other / lengths)

    found = space.nearest(query, None, metric, top_k)
    expected = sorted(ids, key=score, reverse=metric != "euclidean")[:top_k]
    assert [held.id for held, _ in found] == expected
    assert [got for _, got in found] == pytest.approx([score(record_id) for record_id in expected], abs=1e-5)


def test_a_filter_is_applied_before_the_best_are_taken() -> None:
    space = Space(DIMENSION)
    for seed in range(20):
        space.put(record(f"r{seed}", seed))
    found = space.nearest(record("r3", 3).values, None, "cosine", 5, lambda metadata: metadata["seed"] >= 17)
    assert {held.id for held, _ in found} == {"r17", "r18", "r19"}


def test_scores_stay_finite_at_the_end_of_the_float32_range() -> None:
    space = Space(DIMENSION)
    space.put(Record("huge", np.full(DIMENSION, 3e38, np.float32), {}))
    for metric in METRICS:
        ((_, score),) = space.nearest(np.full(DIMENSION, -3e38, np.float32), None, metric, 1)
        assert np.isfinite(score)


def test_a_cosine_is_right_where_the_product_is_beyond_float32() -> None:
    space = Space(3)
    for name, values in (("same", [1, 0, 0]), ("near", [1, 1, 0]), ("opposite", [-1, 0, 0])):
        space.put(Record(name, np.array(values, np.float32) * np.float32(1e20), {}))
    found = space.nearest(np.array([1e20, 0, 0], np.float32), None, "cosine", 3)
    assert [(held.id, round(score, 4)) for held, score in found] == [("same", 1), ("near", 0.7071), ("opposite", -1)]


def test_a_zero_query_scores_zero_by_cosine() -> None:
    space = Space(DIMENSION)
    space.put(record("r"))
    ((_, score),) = space.nearest(np.zeros(DIMENSION, np.float32), None, "cosine", 1)
    assert score == 0.0
