"""Every limit at its edge: the last value that passes and the first that does not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from local.index_server.limits import check_id, check_ids, check_metadata, check_records
from local.index_server.refusals import Refusal
from local.index_server.vectors import check_dense, check_sparse


def vector(record_id: object = "r", values: object = (1.0, 2.0), **more: object) -> dict[str, Any]:
    return {"id": record_id, "values": list(values) if isinstance(values, tuple) else values, **more}


@pytest.mark.parametrize("record_id", ["r", "r" * 512, "doc#0", " ", "a/b%2F"])
def test_an_id_of_ascii_characters_passes(record_id: str) -> None:
    assert check_id(record_id) == record_id


@pytest.mark.parametrize("record_id", ["", "r" * 513, "é", "a\0", None, 7])
def test_a_wrong_id_is_refused(record_id: object) -> None:
    with pytest.raises(Refusal, match="Vector ID must be 1 to 512 ASCII"):
        check_id(record_id)


def test_a_request_takes_1000_ids_and_no_more() -> None:
    ids = [str(number) for number in range(1001)]
    assert check_ids({"ids": ids[:1000]}) == ids[:1000]
    with pytest.raises(Refusal, match="Number of provided ids: 1001 exceeds the maximum amount per request: 1000"):
        check_ids({"ids": ids})
    with pytest.raises(Refusal, match="No ids"):
        check_ids({"ids": []})


def test_an_upsert_takes_1000_records_and_no_more() -> None:
    vectors = [vector(str(number)) for number in range(1001)]
    assert len(check_records({"vectors": vectors[:1000]}, dimension=2)) == 1000
    with pytest.raises(Refusal, match="vectors: 1001 is not within 1 to 1000"):
        check_records({"vectors": vectors}, dimension=2)
    with pytest.raises(Refusal, match="vectors: 0"):
        check_records({"vectors": []}, dimension=2)


def test_the_last_of_equal_ids_wins() -> None:
    records = check_records({"vectors": [vector(values=(1.0, 0.0)), vector(values=(0.0, 1.0))]}, dimension=2)
    assert [record.values.tolist() for record in records.values()] == [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((1.0,), "Vector dimension 1 does not match the dimension of the index 2"),
        ((0.0, 0), "Dense vectors must contain at least one non-zero value. Vector ID 'r' contains only zeros"),
        ((1.0, None), "finite"),  # a client's NaN
        ((1.0, math.inf), "finite"),
        ((1.0, 1e39), "finite"),  # beyond float32
        ((1.0, "1"), "finite"),
        (("1", "2"), "finite"),
        ((True, False), "finite"),
        ((True, 0.5), "finite"),
        ((10**400, 1), "finite"),
        (([1.0], [2.0]), "finite"),
        (([1.0], [2.0, 3.0]), "finite"),
        (None, "must be a list"),
        ("ab", "must be a list"),
    ],
)
def test_a_wrong_vector_is_refused(values: object, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        check_records({"vectors": [vector(values=values)]}, dimension=2)


@pytest.mark.parametrize(
    ("sparse", "message"),
    [
        ({"indices": [1, 2], "values": [1.0]}, "must have the same length"),
        ({"indices": [], "values": []}, "must contain 1 to 2048 values, got 0"),
        ({"indices": list(range(2049)), "values": [1.0] * 2049}, "must contain 1 to 2048 values, got 2049"),
        ({"indices": [-1], "values": [1.0]}, "whole numbers from 0 to 4294967295"),
        ({"indices": [2**32], "values": [1.0]}, "whole numbers from 0 to 4294967295"),
        ({"indices": [True], "values": [1.0]}, "whole numbers"),
        ({"indices": [1.5], "values": [1.0]}, "whole numbers"),
        ({"indices": [7, 7], "values": [1.0, 2.0]}, "unique"),
        ({"indices": [7], "values": [None]}, "finite"),
        ({"indices": "ab", "values": [1.0]}, "must be a list"),
        ([1.0], "must be an object with indices and values"),
    ],
)
def test_a_wrong_sparse_vector_is_refused(sparse: object, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        check_records({"vectors": [vector(sparseValues=sparse)]}, dimension=2)


def test_sparse_values_keep_their_order_and_are_uint32_and_float32() -> None:
    sparse = {"indices": [2**32 - 1, 0], "values": [0.1, -2]}
    held = check_records({"vectors": [vector(sparseValues=sparse)]}, dimension=2)["r"].sparse
    assert held is not None
    assert (held.indices.tolist(), held.values.tolist()) == ([2**32 - 1, 0], [np.float32(0.1), -2.0])
    assert len(check_sparse({"indices": list(range(2048)), "values": [1.0] * 2048}, of="r").values) == 2048


def test_a_sparse_index_takes_sparse_vectors_and_no_others() -> None:
    sparse = {"indices": [1], "values": [1.0]}
    assert check_records({"vectors": [vector(values=[], sparseValues=sparse)]}, None)["r"].values is None
    with pytest.raises(Refusal, match="'r' has dense values"):
        check_records({"vectors": [vector(sparseValues=sparse)]}, None)
    with pytest.raises(Refusal, match="'r' has no sparse values"):
        check_records({"vectors": [vector(values=[])]}, None)


def test_values_become_float32() -> None:
    values = check_dense([0.1, 1], 2, of="r")
    assert values.dtype == np.float32
    assert values.tolist() == [np.float32(0.1), 1.0]


def test_metadata_keeps_strings_booleans_lists_and_makes_numbers_floats() -> None:
    kept = check_metadata({"s": "", "b": True, "i": 7, "f": 0.5, "l": ["x"], "e": [], "n": None})
    assert kept == {"s": "", "b": True, "i": 7.0, "f": 0.5, "l": ["x"], "e": []}
    assert isinstance(kept["i"], float)
    assert kept["b"] is True


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"k": {"a": 1}}, r"got '\{\"a\":1\}' for field 'k'"),
        ({"k": [1758694138.0, 0.5]}, r"got '\[1758694138.0,0\.\.\.\.' for field 'k'"),
        ({"k": ["x", None]}, "list of strings"),
        ({"k": math.inf}, "must be a string, number"),
        ({"k": 10**400}, "must be a string, number"),
        ({"$k": 1}, "must not start with"),
        ([1], "must be an object"),
    ],
)
def test_wrong_metadata_is_refused(metadata: object, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        check_metadata(metadata)


def test_metadata_may_take_40_kib_of_utf8() -> None:
    room = 40 * 1024 - len('{"k":""}')
    assert check_metadata({"k": "é" * (room // 2)})
    with pytest.raises(Refusal, match="Metadata size is 40961 bytes, which exceeds the limit of 40960 bytes per vecto"):
        check_metadata({"k": "x" * (room + 1)})


def test_a_lone_surrogate_in_metadata_is_kept() -> None:
    assert check_metadata({"k": "\ud800"}) == {"k": "\ud800"}
