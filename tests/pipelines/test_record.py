"""Records cut into requests, and floats written short."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.record import MAX_BYTES, MAX_RECORDS, Record, batches, defect, shortest

VECTOR = np.zeros(3, dtype=np.float32)
GOOD = Record("id", np.ones(2, np.float32), "{}")


def record(number: int, text: str = "") -> Record:
    metadata = {"text": text}
    return Record(f"id{number}", VECTOR, json.dumps(metadata))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([0, 1, 900_000, MAX_BYTES]), max_size=8), st.integers(0, 2 * MAX_RECORDS))
def test_batches_keep_order_and_both_limits(large: list[int], n_small: int) -> None:
    records = [record(i, "x" * size) for i, size in enumerate(large)]
    records += [record(len(large) + i) for i in range(n_small)]
    cut = list(batches(records, lambda record: record.wire_bytes))
    assert [one for batch in cut for one in batch] == records
    for batch in cut:
        assert 0 < len(batch) <= MAX_RECORDS
        assert len(batch) == 1 or sum(len(one.metadata_json) for one in batch) <= MAX_BYTES
    # No request without need: the first record of the next would not have fitted.
    for batch, following in pairwise(cut):
        size = sum(len(one.metadata_json) + 200 for one in [*batch, following[0]])
        assert len(batch) == MAX_RECORDS or size > MAX_BYTES


def finite(bits: int) -> bool:
    return bool(np.isfinite(np.uint32(bits).view(np.float32)))


@given(st.lists(st.integers(0, 2**32 - 1).filter(finite), min_size=1, max_size=9))
def test_the_shortest_text_of_a_float32_is_the_same_float32(bits: list[int]) -> None:
    values = np.array([bits], dtype=np.uint32).view(np.float32)
    text = orjson.dumps(shortest(values))
    assert np.array(json.loads(text), dtype=np.float32).tobytes() == values.tobytes()


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=9))
def test_a_component_of_a_vector_of_length_one_is_as_short_as_batches_reckon(values: list[float]) -> None:
    text = orjson.dumps(shortest(np.array([values], np.float32)))
    assert len(text) <= 2 + 2 + 16 * len(values)


@pytest.mark.parametrize(
    ("unfit", "reason"),
    [
        (replace(GOOD, id="\u00e9"), "its id is not 1 to 512 ASCII characters"),
        (replace(GOOD, id=""), "its id is not 1 to 512 ASCII characters"),
        (replace(GOOD, id="i" * 513), "its id is not 1 to 512 ASCII characters"),
        (replace(GOOD, values=np.array([1, np.nan], np.float32)), "its vector holds a value that is not finite"),
        (replace(GOOD, values=np.array([1, np.inf], np.float32)), "its vector holds a value that is not finite"),
        (replace(GOOD, values=np.zeros(2, np.float32)), "its vector is all zero"),
        (replace(GOOD, metadata_json='"' + "\u00e9" * 20_480 + '"'), "its metadata is larger than 40960 bytes"),
    ],
)
def test_a_record_that_no_index_takes_is_told_before_it_is_sent(unfit: Record, reason: str) -> None:
    assert defect(unfit) == reason
    assert defect(GOOD) is None
    assert defect(replace(GOOD, id="i" * 512, metadata_json='"' + "e" * 40_958 + '"')) is None
