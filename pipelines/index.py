"""One namespace of a Pinecone index: the only file that imports pinecone.

Batches stay under every limit of the service, so that none is ever answered with 413, and go out in parallel. The SDK
repeats by itself what is worth repeating (408, 429, 5xx; four attempts, honouring Retry-After).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pipelines.errors import VectorIndexError
from pipelines.record import MAX_RECORDS, Record, batches, shortest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from pinecone import Index, Pinecone

    from pipelines.settings import Settings

MAX_TOP_K = 10_000  # docs.pinecone.io/reference/api/database-limits
_N_CONCURRENT = 8
_IDS_IN_URL = 100  # a fetch names its ids there: of ours 100 take 4 KB, of 16 that servers commonly read
_METRICS = ("cosine", "dotproduct")  # our vectors have length one, so both rank alike


@dataclass(frozen=True, slots=True)
class Match:
    """One answer to a query."""

    id: str
    score: float
    metadata: Mapping[str, Any]


class VectorIndex:
    """A namespace, reached at the first call that needs it: a sync with nothing to do makes no request.

    A context manager, which closes its connections.
    """

    def __init__(self, settings: Settings, api_key: str) -> None:
        """Remember where the index is; the key is kept in the client alone.

        Args:
            settings: name, namespace and address; cloud and region to create it in.
            api_key: Pinecone's.
        """
        from pinecone import Pinecone  # noqa: PLC0415  # half a second, which a settings error need not wait for

        self._settings = settings
        self._client: Pinecone = Pinecone(api_key=api_key, host=settings.pinecone_host or None)
        self._index: Index | None = None
        self._host = ""
        self._lock = Lock()
        self.n_requests = 0  # requests that read or wrote records
        self.n_checks = 0  # requests that described the index

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._index is not None:
            self._index.close()
        self._client.close()

    def ensure(self, dimension: int) -> None:
        """Create the index if it is not there; else check that it is the one we write to.

        Raises:
            VectorIndexError: it has another dimension or metric.
        """
        from pinecone import ServerlessSpec  # noqa: PLC0415
        from pinecone.errors import NotFoundError  # noqa: PLC0415

        name = self._settings.index_name
        with _translated(f"index {name}"):
            try:
                found = self._describe()
            except NotFoundError:
                spec = ServerlessSpec(cloud=self._settings.cloud, region=self._settings.region)
                self.n_checks += 1
                self._client.create_index(name=name, dimension=dimension, metric="cosine", spec=spec)
                found = self._describe()
        if found.dimension != dimension:
            raise VectorIndexError(
                f"index {name} has dimension {found.dimension}, the model {dimension}: choose another index_name"
            )
        if found.metric not in _METRICS:
            raise VectorIndexError(
                f"index {name} has metric {found.metric}, allowed is {' or '.join(_METRICS)}: choose another index_name"
            )

    def n_records(self) -> int:
        """Count the namespace's records, by the index's own statistics."""
        with _translated("statistics"):
            self.n_checks += 1
            namespaces = self._data_plane().describe_index_stats().namespaces
        name = self._settings.namespace
        # The service may call its default namespace by no name here.
        found = namespaces.get(name) or (namespaces.get("") if name == "__default__" else None)
        return found.vector_count if found else 0

    def upsert(self, records: Sequence[Record]) -> None:
        """Write records, all of them or an error.

        Raises:
            VectorIndexError: the index refused some; which of the others it took is not known.
        """
        index = self._data_plane() if records else None

        def send(batch: list[Record]) -> None:
            assert index is not None  # noqa: S101  # there are records
            values = shortest(np.stack([record.values for record in batch]))
            vectors = [
                {"id": record.id, "values": floats, "metadata": record.metadata}
                for record, floats in zip(batch, values, strict=True)
            ]
            index.upsert(vectors=vectors, namespace=self._settings.namespace)

        self._send_all("upsert", batches(records), send)

    def delete(self, ids: Sequence[str]) -> None:
        """Delete records; ids that are not there are fine.

        Raises:
            VectorIndexError: the index refused some.
        """
        from pinecone.errors import NotFoundError  # noqa: PLC0415

        index = self._data_plane() if ids else None

        def send(batch: Sequence[str]) -> None:
            assert index is not None  # noqa: S101  # there are ids
            try:
                index.delete(ids=list(batch), namespace=self._settings.namespace)
            except NotFoundError:
                return  # the namespace was never written to, so nothing of it is there

        self._send_all("delete", (ids[i : i + MAX_RECORDS] for i in range(0, len(ids), MAX_RECORDS)), send)

    def query(self, vector: NDArray[np.float32], top_k: int) -> list[Match]:
        """Find the records nearest to a vector, best first."""
        with _translated("query"):
            self.n_requests += 1
            answer = self._data_plane().query(
                vector=vector.tolist(), top_k=top_k, include_metadata=True, namespace=self._settings.namespace
            )
        return [Match(match.id, match.score, match.metadata or {}) for match in answer.matches]

    def fetch(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the metadata of those records that are there."""
        metadata: dict[str, Mapping[str, Any]] = {}
        for start in range(0, len(ids), _IDS_IN_URL):
            with _translated("fetch"):
                self.n_requests += 1
                part = list(ids[start : start + _IDS_IN_URL])
                found = self._data_plane().fetch(ids=part, namespace=self._settings.namespace).vectors
            metadata |= {record_id: record.metadata or {} for record_id, record in found.items()}
        return metadata

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

    def _send_all(self, what: str, parts: Iterable[Any], send: Callable[[Any], None]) -> None:
        """Send batches in parallel; the first failure stops what has not started."""
        with ThreadPoolExecutor(_N_CONCURRENT) as pool, _translated(what):
            sent = [pool.submit(send, part) for part in parts]
            self.n_requests += len(sent)
            try:
                for future in sent:
                    future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn the SDK's errors into ours, in one line that says what to do."""
    from pinecone.errors import ApiError, PineconeError  # noqa: PLC0415

    try:
        yield
    except ApiError as error:
        advice = {
            401: ": check the Pinecone key",
            403: ": the key may not do this",
            404: ": a first run creates the index, else check index_name",
        }
        raise VectorIndexError(
            f"{what} failed with status {error.status_code}, {error.message}{advice.get(error.status_code, '')}"
        ) from error
    except PineconeError as error:
        raise VectorIndexError(f"{what} failed: {error}") from error
