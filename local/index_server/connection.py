"""One connection: bytes to fields, an operation's answer to bytes."""

from __future__ import annotations

import json
import os
import secrets
import socket
import struct
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from local.index_server.controls import CONTROL_PATHS
from local.index_server.faults import Fault
from local.index_server.fields import Reply
from local.index_server.limits import MAX_REQUEST_BYTES
from local.index_server.refusals import STATUSES, Refusal, invalid, not_served
from local.index_server.routes import find_route
from local.strict_json import strict_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.index_server.listener import Listener
    from local.index_server.routes import Found

_DRAIN_BYTES: Final = 1 << 16


class Connection(BaseHTTPRequestHandler):
    """The requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def handle_request(self) -> None:
        """Answer one request, or do what a fault asks for instead."""
        path = _path(self.path)
        found = find_route(self.command, path)
        fault = Fault()
        if found is not None:
            self.server.controls.counts.add(found[0].operation)
            fault = self.server.controls.faults.take(found[0].operation)
        self.server.ending.wait(fault.delay_s)
        reply = self._answer(path, found, fault)
        if fault.status is not None:
            after = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
            refusal = _refused(path, Refusal(STATUSES[fault.status], "a fault that was asked for"))
            reply = Reply(refusal.body, status=refusal.status, headers=after)
        if fault.end == "reset":
            self._reset()
        else:
            self._send(reply, whole=fault.end != "half")

    def _answer(self, path: str, found: Found | None, fault: Fault) -> Reply:
        """Run what was asked for; a refusal is an answer too."""
        try:
            return self._reply(path, found, fault)
        except Refusal as refusal:
            return _refused(path, refusal)
        except Exception as error:  # noqa: BLE001  # a fault of ours must answer too, and be seen
            traceback.print_exc()
            return _refused(path, Refusal("INTERNAL", f"Internal error: {type(error).__name__}: {error}"))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request  # noqa: N815  # the base class looks for these

    def _reply(self, path: str, found: Found | None, fault: Fault) -> Reply:
        body = self._body()
        if path == "/health":
            return Reply({"status": "ready", "home_id": self.server.home_id})
        if not self.server.accepts(self.headers.get("Api-Key")):
            raise Refusal("UNAUTHENTICATED", "Invalid API Key")
        if not fault.runs_operation:
            return Reply({})
        if found is None and path in CONTROL_PATHS:
            return self.server.controls.answer(self.command, path, _decoded(body))
        if found is None:  # before the body is read: it need not be JSON
            raise not_served(self.command, path)
        route, variables = found
        version = {"api_version": self.headers.get("X-Pinecone-Api-Version", "")}
        return route.run(self.server.catalog, {**self._parameters(), **_decoded(body), **variables, **version})

    def _parameters(self) -> dict[str, Any]:
        """Return the query string's fields: all of ``ids``, the last of any other."""
        fields = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values if name == "ids" else values[-1] for name, values in fields.items()}

    def _body(self) -> bytes:
        """Read the whole body, so that the next request of this connection starts where it should."""
        if self.headers.get("Transfer-Encoding") is not None:
            self.close_connection = True
            raise Refusal("LENGTH_REQUIRED", "send the body with Content-Length, not in chunks")
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            self.close_connection = True
            raise invalid(f"Content-Length must be a whole number, got {length!r:.40}")
        n_bytes = int(length.lstrip("0")[:20] or 0)
        if n_bytes > MAX_REQUEST_BYTES:
            while n_bytes > 0 and (part := self.rfile.read(min(n_bytes, _DRAIN_BYTES))):
                n_bytes -= len(part)
            raise Refusal(
                "PAYLOAD_TOO_LARGE",
                "Your request is larger than the maximum supported size - 2MB. Please try to reduce your batch size.",
            )
        body = self.rfile.read(n_bytes)
        if self.headers.get("Content-Encoding", "identity") != "identity":
            raise Refusal("UNSUPPORTED_MEDIA_TYPE", "send the body as it is, without Content-Encoding")
        return body

    def _send(self, reply: Reply, *, whole: bool = True) -> None:
        """Write an answer in one piece, or, on demand, only half of its body."""
        body = json.dumps(reply.body, separators=(",", ":"), allow_nan=False).encode()
        headers: Mapping[str, str] = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close" if self.close_connection else "keep-alive",
            "x-pinecone-request-id": secrets.token_hex(8),
            **reply.headers,
        }
        head = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1") + (body if whole else body[: len(body) // 2]))
        self.close_connection = self.close_connection or not whole

    def _reset(self) -> None:
        """End the connection as a broken network does: the client's next read fails."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())  # close() would wait for the files around the socket, and end it politely

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the base class could not read as a request: in JSON like every answer, then close."""
        self.close_connection = True
        text = ": ".join(part for part in (message, explain) if part) or HTTPStatus(code).phrase
        self._send(Reply({"error": {"code": HTTPStatus(code).name, "message": text}, "status": code}, status=code))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
        """Log nothing: requests are counted, and a log could hold a key."""


def _path(target: str) -> str:
    """Return the path of a request's target; one that is no address is the path of nothing we serve."""
    try:
        return urlsplit(target).path
    except ValueError:
        return target


def _refused(path: str, refusal: Refusal) -> Reply:
    # Below an index's own path is the data plane: /indexes/{index}/...
    below_index = path.startswith("/indexes/") and path.count("/") > 2  # noqa: PLR2004
    return Reply(refusal.data_body() if below_index else refusal.control_body(), status=refusal.status)


def _decoded(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        fields = strict_json(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"the body is not valid JSON: {error}") from None
    if not isinstance(fields, dict):
        raise invalid("the body must be a JSON object")
    return fields
