"""Which index server a command talks to: the one that already serves this home, or one for as long as it runs."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.index_server import IndexServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.home import Home

DEFAULT_KEY = "local"
_HEALTH_LIMIT_S = 2.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy reaches this machine's loopback


def index_key() -> str:
    """Return the key that our server wants and our commands send: PINECONE_API_KEY, `local` if unset."""
    return os.environ.get("PINECONE_API_KEY") or DEFAULT_KEY


@contextmanager
def index_url(home: Home) -> Iterator[str]:
    """Give the address of this home's index server, started here if none answers.

    Raises:
        VectorIndexError: another process holds the index, and does not answer.
    """
    running = _running(home)
    if running:
        yield running
        return
    with serve(home, port=0) as server:
        yield server.url


@contextmanager
def serve(home: Home, port: int) -> Iterator[IndexServer]:
    """Serve the home's index from this process, and say so in the port file.

    Raises:
        VectorIndexError: the port is taken, or another server holds the index.
    """
    with IndexServer(home.index, api_key=index_key(), port=port, home_id=str(home.root)) as server:
        home.keep(home.port_file, str(server.port))
        try:
            yield server
        finally:
            home.port_file.unlink(missing_ok=True)


def _running(home: Home) -> str | None:
    """Address of the server that the port file names, if it is this home's; the port may long be another's."""
    try:
        url = f"http://127.0.0.1:{int(home.port_file.read_text(encoding='ascii'))}"
        with _DIRECT.open(f"{url}/health", timeout=_HEALTH_LIMIT_S) as answer:
            return url if json.load(answer).get("home_id") == str(home.root) else None
    except (OSError, ValueError, urllib.error.URLError):
        return None
