"""An index and a state in memory, which count what they are asked, refuse on demand, and die when a fuse has burnt."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.ids import content_hash, record_id
from pipelines.record import DeadLetter, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from pipelines.form import LastRun

VECTOR = np.ones(1, dtype=np.float32)  # what stands there matters to no one here


class CrashError(Exception):
    """The process died here."""


@dataclass(slots=True)
class Fuse:
    """Burns with every step of a sync; at the end of it, the sync dies."""

    length: int | None  # steps that still happen; None for ever
    end: Callable[[], Exception] = CrashError  # what happens then

    def burn(self) -> None:
        if self.length is None:
            return
        if self.length <= 0:  # below, if two threads burn it at a time
            raise self.end()
        self.length -= 1


@dataclass(slots=True)
class Service:
    """The index and the state's table in memory: what survives a crash. A fuse burns before each of their writes."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)  # doc_id -> its row of `index_state`
    texts: dict[str, str] = field(default_factory=dict)  # record id -> text
    dead: dict[str, int] = field(default_factory=dict)  # record id -> attempts: `dead_letter`
    refuses: str = ""  # the index takes no text that begins with one of these
    fuse: Fuse = field(default_factory=lambda: Fuse(None))
    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311  # no secret
    n_requests: int = 0
    last: LastRun | None = None  # `sync_runs`

    def append(self, documents: Sequence[Mapping[str, Any]]) -> None:
        self.fuse.burn()
        self.rows |= {document["doc_id"]: dict(document) for document in documents}

    def bury(self, refused: Sequence[Mapping[str, Any]], alive: Iterable[str]) -> None:
        self.fuse.burn()
        for name in alive:
            self.dead.pop(name, None)
        self.dead |= {row["id"]: self.dead.get(row["id"], 0) + 1 for row in refused}

    def dead_letters(self) -> dict[str, set[str]]:
        """Return the ids of refused records by document, as `State` does."""
        dead: dict[str, set[str]] = {}
        for name in self.dead:
            dead.setdefault(name.split("#")[0], set()).add(name)
        return dead

    def upsert(self, records: Sequence[Record]) -> list[DeadLetter]:
        refused = [record for record in records if record.metadata["text"][0] in self.refuses]
        for record in self.random.sample(records, len(records)):  # batches go out in parallel
            self.fuse.burn()
            if record not in refused:
                self.texts[record.id] = record.metadata["text"]
            self.n_requests += 1
        return [DeadLetter(record.id, 400, "not this one") for record in refused]

    def delete(self, ids: Sequence[str]) -> None:
        for gone in self.random.sample(ids, len(ids)):
            self.fuse.burn()
            self.texts.pop(gone, None)
            self.n_requests += 1

    def put(self, name: str, text: str) -> None:
        """Write a record behind everybody's back."""
        self.texts[name] = text

    def drop(self, name: str) -> None:
        """Delete a record behind everybody's back."""
        self.texts.pop(name, None)

    def check(self, foreign: Container[str] = ()) -> None:
        """What the state claims to know is so, and it has room for every record there is, but for foreign ones."""
        roomy = {record_id(doc_id, i) for doc_id, row in self.rows.items() for i in range(len(row["payload_hashes"]))}
        assert {name for name in self.texts if "#" in name and name not in foreign} <= roomy
        for doc_id, row in self.rows.items():
            for i, known in enumerate(row["payload_hashes"]):
                lost = row["document_hash"] is not None and record_id(doc_id, i) not in self.texts
                assert not lost or record_id(doc_id, i) in self.dead
                assert known is None or content_hash(self.texts[record_id(doc_id, i)]) == known
