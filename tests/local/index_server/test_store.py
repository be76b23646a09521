"""A write is all or nothing, also where it breaks in the middle."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from local.index_server.limits import Record
from local.index_server.store import Store
from local.index_server.vectors import SparseVector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_write_that_breaks_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    def breaking() -> Iterator[str]:
        yield "kept"
        raise RuntimeError("the middle of a write")

    record = Record("new", np.ones(2, np.float32), {})
    with closing(Store(tmp_path)) as store:
        store.put_index("docs", {"name": "docs"})
        store.write("docs", 1, "one", [Record("kept", np.ones(2, np.float32), {})], [])
        with pytest.raises(RuntimeError, match="the middle of a write"):
            store.write("docs", 2, "two", [record], breaking())
    with closing(Store(tmp_path)) as store:
        assert store.indexes() == [({"name": "docs"}, 1)]
        assert store.namespaces("docs") == ["one"]
        assert [held.id for held in store.records("docs", "one")] == ["kept"]


def test_a_vector_is_kept_bit_by_bit(tmp_path: Path) -> None:
    values = np.array([1e-45, -0.0, 3.4e38, 1 / 3], np.float32)
    with closing(Store(tmp_path)) as store:
        store.write("docs", 1, "one", [Record("r", values, {"s": "\ud800"})], [])
        (held,) = store.records("docs", "one")
    assert held.values.tobytes() == values.tobytes()
    assert held.metadata == {"s": "\ud800"}


def test_a_sparse_vector_is_kept_bit_by_bit(tmp_path: Path) -> None:
    sparse = SparseVector(np.array([2**32 - 1, 0], np.uint32), np.array([0.1, -3e38], np.float32))
    with closing(Store(tmp_path)) as store:
        store.put_index("docs", {"name": "docs"})
        store.write("docs", 1, "one", [Record("r", None, {}, sparse)], [])
    with closing(Store(tmp_path)) as store:
        (held,) = store.records("docs", "one")
    assert (held.values, held.sparse is not None) == (None, True)
    assert held.sparse is not None
    assert held.sparse.indices.tolist() == sparse.indices.tolist()
    assert held.sparse.values.tobytes() == sparse.values.tobytes()
