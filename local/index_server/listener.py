"""The listening socket, and every connection that came of it."""

from __future__ import annotations

import hmac
import socket
import sys
import threading
from contextlib import suppress
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from local.index_server.catalog import Catalog
    from local.index_server.controls import Controls

HOST: Final = "127.0.0.1"
_STOP_S: Final = 10.0


class Listener(ThreadingMixIn, TCPServer):
    """A daemon thread for each connection, and the means to end them all.

    Args:
        port: Where to listen on the loopback address; 0 picks a free port.
        connection: What serves a connection; it finds the other arguments here.
        api_key: What a request must bring.
        home_id: Told by ``GET /health``.
        controls: Counts of requests, faults, delayed visibility.

    Raises:
        OSError: The port is in use.
    """

    allow_reuse_address = True
    request_queue_size = 128
    catalog: Catalog

    def __init__(
        self, port: int, connection: type[BaseRequestHandler], *, api_key: str, home_id: str, controls: Controls
    ) -> None:
        super().__init__((HOST, port), connection)
        self.port: int = self.socket.getsockname()[1]
        self.home_id = home_id
        self.controls = controls
        self.ending = threading.Event()
        self._api_key = api_key.encode()
        self._open: dict[threading.Thread, socket.socket] = {}

    def accepts(self, api_key: str | None) -> bool:
        """Compare a key in constant time, so that the clock tells nothing of it."""
        return hmac.compare_digest((api_key or "").encode(), self._api_key)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread that ``finish`` knows of."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._open[threading.current_thread()]

    def finish(self) -> None:
        """Take no more connections and requests, and wait for the answers under way."""
        self.ending.set()  # ends what only delays
        self.shutdown()
        self.server_close()
        for thread, connection in list(self._open.items()):
            with suppress(OSError):  # the client may have closed it
                connection.shutdown(socket.SHUT_RD)  # who waits for a request reads the end; who answers goes on
            thread.join(_STOP_S)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about clients that went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
