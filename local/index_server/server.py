"""HTTP around the operations, on the standard library: no dependency, and the whole socket in our hands."""

from __future__ import annotations

import errno
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from local.index_server.catalog import Catalog
from local.index_server.connection import Connection
from local.index_server.controls import Controls
from local.index_server.listener import HOST, Listener
from local.index_server.store import Store
from pipelines.errors import VectorIndexError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from local.index_server.faults import Fault

_POLL_S: Final = 0.01  # how soon stop() is noticed


class IndexServer:
    """A Pinecone-compatible index server on this machine's loopback address.

    Use it as a context manager, or call ``start`` and ``stop``. A client needs nothing but its URL and key::

        with IndexServer(folder, api_key="local") as server:
            pinecone = Pinecone(api_key="local", host=server.url)

    Args:
        folder: Holds everything; made if it is missing. One server at a time.
        api_key: What a request's ``Api-Key`` header must be.
        port: Where to listen; 0 picks a free port.
        home_id: Told by ``GET /health``, so that who finds a server on a port can tell whose it is.
    """

    def __init__(self, folder: Path, *, api_key: str, port: int = 0, home_id: str = "") -> None:
        self._folder = folder
        self._api_key = api_key
        self._asked_port = port
        self._home_id = home_id
        self._controls = Controls()
        self._store: Store | None = None
        self._listener: Listener | None = None

    def start(self) -> Self:
        """Load the folder and serve it from daemon threads of this process.

        Raises:
            VectorIndexError: The folder is held by another server or cannot be read, the port is in use, or this server
                runs already.
        """
        if self._listener is not None:
            raise VectorIndexError(f"the index server already runs at {self.url}: stop it before starting it again")
        with ExitStack() as undo:
            store = Store(self._folder)
            undo.callback(store.close)
            listener = self._listen()
            undo.callback(listener.server_close)
            listener.catalog = Catalog(store, f"http://{HOST}:{listener.port}", self._controls.visibility)
            undo.pop_all()
        self._store, self._listener = store, listener
        threading.Thread(target=listener.serve_forever, args=(_POLL_S,), name="index-server", daemon=True).start()
        return self

    def _listen(self) -> Listener:
        try:
            return Listener(
                self._asked_port, Connection, api_key=self._api_key, home_id=self._home_id, controls=self._controls
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise VectorIndexError(
                f"port {self._asked_port} of {HOST} is in use: stop what listens there, or choose another port"
            ) from None
        except OverflowError:
            raise VectorIndexError(f"port {self._asked_port} is no port: choose one from 0 to 65535") from None

    def stop(self) -> None:
        """Answer the requests under way, close every connection, and let go of the folder; again is no error."""
        if self._listener is not None and self._store is not None:
            self._listener.finish()
            self._store.close()
        self._listener = self._store = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._listener is None:
            raise VectorIndexError("the index server does not run: call start() first")
        return self._listener.port

    @property
    def url(self) -> str:
        """What a client takes as its host."""
        return f"http://{HOST}:{self.port}"

    def request_counts(self) -> dict[str, int]:
        """Return how many requests came since construction, by operation name, refused ones included."""
        return self._controls.counts.as_dict()

    def set_faults(self, *faults: Fault) -> None:
        """Replace the faults that requests are going to meet; none ends them."""
        self._controls.faults.set(faults)

    def set_visibility_delay(self, delay_s: float) -> None:
        """Let reads see each later write only so many seconds after its answer."""
        self._controls.set_visibility_delay({"delay_s": delay_s})

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
