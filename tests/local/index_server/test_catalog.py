"""Operations that meet on one index."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from local.index_server.catalog import Catalog
from local.index_server.index import IndexSpec, Visibility
from local.index_server.refusals import Refusal
from local.index_server.store import Store

if TYPE_CHECKING:
    from pathlib import Path

SPEC = IndexSpec(name="docs", dimension=2, metric="cosine", cloud="aws", region="us-east-1")


def test_an_operation_that_waited_for_a_deleted_index_does_not_write_to_it(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        catalog = Catalog(store, "http://127.0.0.1:1", Visibility())
        catalog.create(SPEC)
        with catalog.use("docs") as index:
            pass
        lock = index.lock

        class DeletedWhileWaiting:
            def __enter__(self) -> None:
                index.lock = lock
                catalog.delete("docs")

            def __exit__(self, *_: object) -> None:
                """Nothing was taken."""

        index.lock = DeletedWhileWaiting()  # type: ignore[assignment]  # stands for the time spent waiting
        with pytest.raises(Refusal, match="docs not found"), catalog.use("docs"):
            pytest.fail("the index was deleted")
