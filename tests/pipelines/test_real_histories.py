"""Drawn histories once more, fewer, with a real server behind the real client, and with failures on the way."""

from __future__ import annotations

import json
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from local.index_server.faults import Fault
from pipelines.index import VectorIndex
from pipelines.reader import Reader
from pipelines.record import DeadLetter, Record
from pipelines.settings import Settings
from tests.pipelines.histories import Histories, run
from tests.pipelines.scene import KEY
from tests.pipelines.service import VECTOR, Service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.index_server import IndexServer
    from tests.pipelines.world import World

pytestmark = pytest.mark.long

N_HISTORIES = 20
FAILURES = (
    Fault("upsert", status=429, retry_after_s=0),
    Fault("upsert", status=500, applied=True),
    Fault("delete", status=503),
    Fault("upsert", end="reset", applied=True),
    Fault("delete", end="half"),
    Fault("upsert", status=413),
)
NAMES = count()


class RealService(Service):
    """A namespace of its own on a server; the state stays in memory."""

    def __init__(self, server: IndexServer, clients: ExitStack) -> None:
        self._server = server
        settings = Settings(source_table="a.b", index_name="one", pinecone_host=server.url, namespace=f"n{next(NAMES)}")
        self._index = clients.enter_context(VectorIndex(settings, KEY))
        self._index.ensure(len(VECTOR))
        self._reader = Reader(self._index, settings.namespace)
        super().__init__()

    @property
    def texts(self) -> dict[str, str]:
        """Read everything that is there."""
        found = self._reader.fetch(list(self._reader.list_ids()))
        return {name: str(record.metadata["text"]) for name, record in found.items()}

    @texts.setter
    def texts(self, _nothing: Any) -> None:
        """Let the dataclass think that it made one."""

    def put(self, name: str, text: str) -> None:
        self._index.upsert([Record(name, VECTOR, json.dumps({"text": text}))])

    def drop(self, name: str) -> None:
        self._index.delete([name])

    def upsert(self, records: Sequence[Record]) -> list[DeadLetter]:
        """Write them in two requests, of which the first may be the last; what it refuses has too many values."""
        sent = [
            replace(record, values=np.append(VECTOR, VECTOR)) if record.metadata["text"][0] in self.refuses else record
            for record in records
        ]
        refused = []
        for part in (sent[: len(sent) // 2], sent[len(sent) // 2 :]):
            self._burn(len(part))
            refused += self._index.upsert(part)
        return refused

    def delete(self, ids: Sequence[str]) -> None:
        for part in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
            self._burn(len(part))
            self._index.delete(part)

    def _burn(self, n_records: int) -> None:
        for _ in range(n_records):
            self.fuse.burn()
        # A single record that is too large is refused for good; two are only halved.
        self._server.set_faults(self.random.choice(FAILURES if n_records > 1 else FAILURES[:-1]))
        self.n_requests += n_records


class RealHistories(Histories):
    """The same rules over a real server."""

    def rehearsal(self) -> World:
        real = self.service
        twin = Service(
            deepcopy(real.rows), dict(real.texts), dict(real.dead), refuses=real.refuses, last=deepcopy(real.last)
        )
        others = {place: service for place, service in self.world.services.items() if place != self.place}
        world = replace(self.world, services={**others, self.place: twin})
        return replace(world, logs=deepcopy(self.world.logs), feed=list(self.world.feed))


def test_the_same_holds_of_a_real_server_that_fails_now_and_then(
    server: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pinecone._internal.http_client._retry_sleep", lambda _s: None)
    monkeypatch.setattr("pipelines.sender._FIRST_WAIT_S", 0.01)
    with ExitStack() as clients:
        monkeypatch.setattr(Histories, "new_service", partial(RealService, server, clients))
        run(RealHistories, n_histories=N_HISTORIES)
    assert Histories.counts["settled, incremental"] >= N_HISTORIES
    counts = server.request_counts()
    assert counts["upsert"] > N_HISTORIES
    assert counts["list"] > N_HISTORIES
