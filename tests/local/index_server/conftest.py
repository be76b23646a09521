"""A running server with one small index, and the official client for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pinecone import Index, Pinecone, ServerlessSpec

from local.index_server import IndexServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "a key of the tests"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[IndexServer]:
    with IndexServer(tmp_path / "index", api_key=KEY, home_id="home of the tests") as server:
        yield server


@pytest.fixture
def pinecone(server: IndexServer) -> Iterator[Pinecone]:
    # Over plain http the client's certificate store serves nothing, and loading it takes 100 ms.
    with Pinecone(api_key=KEY, host=server.url, ssl_verify=False) as pinecone:
        yield pinecone


@pytest.fixture
def index(pinecone: Pinecone) -> Iterator[Index]:
    """An index "docs" of dimension 3 and metric cosine."""
    pinecone.create_index(
        name="docs", dimension=3, metric="cosine", spec=ServerlessSpec(cloud="aws", region="us-east-1"), timeout=-1
    )
    with pinecone.Index("docs") as index:
        assert isinstance(index, Index)
        yield index
