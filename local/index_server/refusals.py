"""Why a request is refused: one exception, two envelopes."""

from __future__ import annotations

from typing import Any, Final

from pipelines.errors import StreamingEmbeddingsError

# Name in the control plane's envelope -> HTTP status, gRPC status number in the data plane's envelope.
_CODES: Final = {
    "INVALID_ARGUMENT": (400, 3),
    "UNAUTHENTICATED": (401, 16),
    "FORBIDDEN": (403, 7),
    "NOT_FOUND": (404, 5),
    "ALREADY_EXISTS": (409, 6),
    "LENGTH_REQUIRED": (411, 3),
    "PAYLOAD_TOO_LARGE": (413, 11),
    "UNSUPPORTED_MEDIA_TYPE": (415, 3),
    "UNPROCESSABLE_ENTITY": (422, 3),
    "RESOURCE_EXHAUSTED": (429, 8),
    "INTERNAL": (500, 13),
    "UNIMPLEMENTED": (501, 12),
    "UNAVAILABLE": (503, 14),
    "DEADLINE_EXCEEDED": (504, 4),
}
STATUSES: Final = {status: code for code, (status, _) in _CODES.items()}  # by HTTP status


class Refusal(StreamingEmbeddingsError):  # an answer of the server, not a fault of it
    """A request that gets an error for an answer; nothing was changed.

    Args:
        code: A name that the service uses, such as ``NOT_FOUND``; it decides the HTTP status.
        message: One line for a person. Where the real service's words are known they are used as they are.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status, self._number = _CODES[code]

    def control_body(self) -> dict[str, Any]:
        """Return the envelope of the control plane (indexes)."""
        return {"error": {"code": self.code, "message": self.message}, "status": self.status}

    def data_body(self) -> dict[str, Any]:
        """Return the envelope of the data plane (records)."""
        return {"code": self._number, "message": self.message, "details": []}


def invalid(message: str) -> Refusal:
    """Return the refusal of a wrong value: 400."""
    return Refusal("INVALID_ARGUMENT", message)


def not_served(method: str, path: str) -> Refusal:
    """Return the refusal of a request for what we do not do: 501."""
    return Refusal("UNIMPLEMENTED", f"the local index server does not serve {method} {path:.200}")
