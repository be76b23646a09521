"""One namespace of a Pinecone index, to write to: the only file that imports pinecone. `reader` reads through it.

Batches stay under every limit of the service and go out in parallel. The SDK repeats by itself what is worth repeating
(408, 429, 5xx, lost connections; four attempts, honouring Retry-After); `Sender` then goes on for minutes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from pipelines.errors import VectorIndexError
from pipelines.record import MAX_RECORDS, DeadLetter, Record, batches, shortest, sound
from pipelines.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from pinecone import Index, Pinecone

    from pipelines.settings import Settings

_PASSING, _REFUSING = (408, 429), (400, 413)  # statuses: worth another try; worth a try with less
_METRICS = ("cosine", "dotproduct")  # our vectors have length one, so both rank alike

Answer = TypeVar("Answer")


class VectorIndex:
    """A namespace, reached at the first call that needs it: a sync with nothing to do makes no request.

    Args:
        settings: where the index is.
        api_key: kept in the client alone.
        may_write: asked before every request that writes; raises if another run may be writing.
    """

    def __init__(self, settings: Settings, api_key: str, may_write: Callable[[], None] = lambda: None) -> None:
        from pinecone import Pinecone  # noqa: PLC0415  # half a second, which a settings error need not wait for

        self._settings = settings
        self._client: Pinecone = Pinecone(api_key=api_key, host=settings.pinecone_host or None)
        self._index: Index | None = None
        self._host = ""
        self._lock = Lock()
        self._sender = Sender(may_write)
        # To write from. Here, for an error stops what they send before they are waited for, at the end of the block.
        self.sending = ThreadPoolExecutor()
        self.n_checks = 0  # requests that described it, or asked whether writes are seen
        self.lsn: int | None = None  # highest log sequence number that it gave an upsert
        self.probe: NDArray[np.float32] | None = None  # the vector of some record it took, to ask with
        self.deleted: list[str] = []  # one id of each request that deleted

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error:
            self._sender.stop(error)
        self.sending.shutdown()
        if self._index is not None:
            self._index.close()
        self._client.close()

    @property
    def n_requests(self) -> int:
        """Requests that read or wrote records; repeated ones count again."""
        return self._sender.n_requests

    @property
    def n_retries(self) -> int:
        """Those of them that were sent again, beyond what the SDK repeats by itself."""
        return self._sender.n_retries

    def ensure(self, dimension: int) -> None:
        """Create the index if it is not there; else check that it is the one we write to.

        Raises:
            VectorIndexError: it has another dimension or metric.
        """
        from pinecone import ServerlessSpec, errors  # noqa: PLC0415

        name = self._settings.index_name
        with _translated(f"index {name}"):
            try:
                found = self._describe()
            except errors.NotFoundError:
                spec = ServerlessSpec(cloud=self._settings.cloud, region=self._settings.region)
                self.n_checks += 1
                self._client.create_index(name=name, dimension=dimension, metric="cosine", spec=spec)
                found = self._describe()
        if found.dimension != dimension:
            differs = f"has dimension {found.dimension}, the model {dimension}"
            raise VectorIndexError(f"index {name} {differs}: choose another index_name")
        if found.metric not in _METRICS:
            differs = f"has metric {found.metric}, allowed is {' or '.join(_METRICS)}"
            raise VectorIndexError(f"index {name} {differs}: choose another index_name")

    def upsert(self, records: Sequence[Record]) -> list[DeadLetter]:
        """Write records; return those the index takes neither now nor later, each with the reason.

        Of several threads that call it the next begins when the last requests of one are out.

        Raises:
            VectorIndexError: it could not be reached, or refused all alike; which of them it took is not known.
        """
        from pinecone import Vector  # noqa: PLC0415

        if not records:
            return []
        index, defects = self._data_plane(), dict[str, str]()

        def send(batch: Sequence[Record]) -> None:
            # The client hands values to orjson as they are, which takes a piece of finished JSON for a list of floats.
            vectors = [Vector(it.id, cast("list[float]", shortest(it.values)), None, it.metadata) for it in batch]
            with _translated("upsert"):
                answer = index.upsert(vectors=vectors, namespace=self._settings.namespace)
            lsn = answer.response_info.lsn_committed if answer.response_info else None
            with self._lock:
                self.probe = batch[0].values
                self.lsn = max(self.lsn or 0, lsn) if lsn is not None else self.lsn

        fit = batches(sound(records, defects), lambda record: record.wire_bytes)
        refused = self._sender.send(fit, send, in_turn=True)
        return [
            *(DeadLetter(record_id, None, why) for record_id, why in defects.items()),
            *(DeadLetter(record.id, error.status, str(error)) for record, error in refused),
        ]

    def delete(self, ids: Sequence[str]) -> None:
        """Delete records; ids that are not there are fine.

        Raises:
            VectorIndexError: the index refused some, or could not be reached.
        """
        if not ids:
            return
        index = self._data_plane()

        def send(batch: Sequence[str]) -> None:
            try:
                with _translated("delete"):
                    index.delete(ids=list(batch), namespace=self._settings.namespace)
                self.deleted.append(batch[0])
            except VectorIndexError as error:
                if error.status != HTTPStatus.NOT_FOUND:  # the namespace was never written to: nothing of it is there
                    raise

        for _, error in self._sender.send((ids[i : i + MAX_RECORDS] for i in range(0, len(ids), MAX_RECORDS)), send):
            raise error

    def read(
        self, what: str, ask: Callable[[Index], Answer], *, is_check: bool = False, patient: bool = True
    ) -> Answer:
        """Make one request that reads.

        Args:
            what: the request, for an error's message.
            ask: makes it.
            is_check: count it as one that asks whether writes are seen.
            patient: ask again for minutes where it fails in a way that passes.
        """
        plane = self._data_plane()

        def request() -> Answer:
            with _translated(what):
                return ask(plane)

        if is_check:
            with self._lock:
                self.n_checks += 1
            return request()  # who checks asks again anyway
        return self._sender.ask(request, patient=patient)

    def _describe(self) -> Any:
        self.n_checks += 1
        found = self._client.describe_index(self._settings.index_name)
        self._host = found.host or ""
        return found

    def _data_plane(self) -> Index:
        """Find the index's own address, once."""
        with self._lock:
            if self._index is None:
                with _translated(f"index {self._settings.index_name}"):
                    self._index = self._client.index(host=self._host or self._describe().host)
            return self._index


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn the SDK's errors into ours, in one line that says what to do."""
    from pinecone import errors  # noqa: PLC0415

    try:
        yield
    except errors.ApiError as error:
        status = error.status_code
        advice = {
            401: ": check the Pinecone key",
            403: ": the key may not do this",
            404: ": a first run creates the index, else check index_name",
        }
        raise VectorIndexError(
            f"{what} failed with status {status}, {error.message}{advice.get(status, '')}",
            status=status,
            retryable=status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR,
            refused=status in _REFUSING,
        ) from error
    except (errors.PineconeValueError, errors.PineconeTypeError) as error:  # the SDK's own look at what it is to send
        raise VectorIndexError(f"{what} failed: {error}", refused=True) from error
    except errors.PineconeError as error:
        passing = errors.PineconeConnectionError, errors.PineconeTimeoutError, errors.ResponseParsingError
        raise VectorIndexError(f"{what} failed: {error}", retryable=isinstance(error, passing)) from error
