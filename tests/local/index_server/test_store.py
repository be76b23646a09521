"""A write is all or nothing, also where it breaks in the middle."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from local.index_server.limits import Record
from local.index_server.store import Store

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
