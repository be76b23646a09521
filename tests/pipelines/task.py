"""The job's last task over a world: what `compare`, `sync`, `Survey` and `forget` do in Spark, over rows in memory.

What decides is the code itself: `why_whole`, `winner`, `status`, `Guard`, `apply_windows`, `judge`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipelines.apply import apply_windows
from pipelines.documents import Document, windows
from pipelines.errors import SyncRefused
from pipelines.form import Holding, LastRun, why_whole
from pipelines.guard import Guard
from pipelines.ids import TOMBSTONE_HASH, content_hash, record_id
from pipelines.inspection import Finding, Inspected, judge
from pipelines.record import Record
from pipelines.report import SyncReport
from pipelines.snapshot import Snapshot
from pipelines.status import Held, Status, status
from pipelines.survey import Stranger
from pipelines.winner import Head, winner
from tests.pipelines.scene import NOON
from tests.pipelines.service import VECTOR, Service
from tests.pipelines.test_guard import SETTINGS, SUMMARY
from tests.pipelines.threads import threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.pipelines.world import World


@dataclass(slots=True)
class Task:
    """One run over a world's tables as they stand."""

    world: World
    retry: bool = False
    rows: dict[Any, None] = field(init=False)  # of `embeddings`, each once
    heads: dict[str, Head] = field(init=False)

    def __post_init__(self) -> None:
        self.rows = dict.fromkeys(row for _, row in self.world.logs["embeddings"].rows)
        heads: dict[str, list[Head]] = {}
        for key, n_rows in Counter(row[:7] for row in self.rows).items():
            heads.setdefault(key[0], []).append(Head(*key, n_rows))
        self.heads = {doc_id: winner(versions, self.world.recipe) for doc_id, versions in heads.items()}

    @property
    def service(self) -> Service:
        return self.world.service

    @property
    def snapshot(self) -> Snapshot:
        world, log = self.world, self.world.logs["embeddings"]
        source_version = len(world.feed) if world.has_feed else None
        return Snapshot(str(log.table_id), len(log.touched), str(world.source_epoch), source_version, world.recipe)

    def statuses(self) -> dict[str, Status]:
        """Say of every document what is to become of it."""
        found = {}
        for doc_id in sorted(self.heads.keys() | self.service.rows.keys()):
            row = self.service.rows.get(doc_id)
            held = Held(row["document_hash"], row["recipe"], row["deleted"]) if row else None
            if held and self.retry and doc_id in self.service.dead_letters():
                held = replace(held, document_hash=None)
            in_source = doc_id in self.world.source if self.world.has_feed else None
            found[doc_id] = status(
                self.heads.get(doc_id),
                held,
                self.world.recipe,
                in_source=in_source,
                forgotten=self.world.forgotten.get(doc_id, False),
            )
        return found

    def why_whole(self) -> str | None:
        rows = self.service.rows.values()
        n_unknown = sum(row["document_hash"] is None for row in rows)
        n_live = sum(not row["deleted"] for row in rows)
        held = Holding(len(rows), n_live, 0, 0, n_unknown, ())
        settings = replace(SETTINGS, retry_dead_letters=self.retry)
        return why_whole(self.service.last, self.snapshot, held, settings)

    def changed(self, last: LastRun) -> set[str]:
        """Name the documents that can have changed since the last sync."""
        log = self.world.logs["embeddings"]
        changed = {*log.touched[last.table_version :], *self.world.forgotten}
        return changed | {change.doc_id for change in self.world.feed[last.source_version :] if self.world.has_feed}

    def sync(self, n_window: int = 4) -> SyncReport:
        """Do what `sync` does, in the incremental form where it may be taken."""
        found, reason, last, snapshot = self.statuses(), self.why_whole(), self.service.last, self.snapshot
        if reason is None:
            assert last is not None
            changed = self.changed(last)
            # Both forms give the same plan.
            assert {what for doc_id, what in found.items() if doc_id not in changed} <= {Status.SAME}
            found = {doc_id: what for doc_id, what in found.items() if doc_id in changed}
        report = SyncReport("run", "docs", "all", NOON, 0, form="whole" if reason else "incremental")
        guard = self._guard(found)
        guard.check()
        chosen = [doc_id for doc_id, what in found.items() if what in (Status.WRITE, Status.DELETE)]
        ahead = windows(self.documents(chosen, found), n_window)
        sending = threads(n_window, self.service.random)
        for _ in apply_windows(ahead, self.service, self.service, report, guard=guard, sending=sending):
            pass
        n_pending = sum(what == Status.PENDING for what in found.values())
        age_s = (last and last.whole_age_s) if reason is None else 0.0
        outcome = "partial" if report.n_refused else "succeeded"
        values = (snapshot.table_id, snapshot.table_version, snapshot.source_table_id, snapshot.source_version, 0)
        n_live = sum(not row["deleted"] for row in self.service.rows.values())
        self.service.last = LastRun(outcome, *values, snapshot.recipe, n_live, n_pending, 0, age_s)
        return report

    def is_allowed(self) -> bool:
        """Say whether the guard lets it pass."""
        try:
            self._guard(self.statuses()).check()
        except SyncRefused:
            return False
        return True

    def _guard(self, found: dict[str, Status]) -> Guard:
        gone, reshaped = 0, 0
        for doc_id, what in found.items():
            head, forgotten = self.heads.get(doc_id), self.world.forgotten.get(doc_id, False)
            gone += what == Status.DELETE and not (head and head.deleted) and not forgotten
            is_live = head is not None and not head.deleted and not forgotten
            other = head is not None and head.recipe.split("/")[0] != self.world.columns
            reshaped += what != Status.SAME and is_live and other
        return Guard(replace(SUMMARY, n_held=0, n_gone=gone, n_reshaped=reshaped), SETTINGS)

    def documents(self, doc_ids: Iterable[str], found: dict[str, Status]) -> Iterator[Document]:
        """Give documents with what they should hold, as `read_documents` does."""
        for doc_id in doc_ids:
            head, row, what = self.heads.get(doc_id), self.service.rows.get(doc_id), found[doc_id]
            change = {
                "doc_id": doc_id,
                "source_id": head and doc_id,
                "status": what,
                "head_known": head is not None,
                "model": self.world.model,
                "changed_at": NOON,
                "held": row and row["payload_hashes"],
                "held_hash": row and row["document_hash"],
                "held_deleted": bool(row and row["deleted"]),
                **{name: head and getattr(head, name) for name in ("version", "document_hash", "recipe")},
                **{f"held_{name}": row and row[name] for name in ("source_id", "version", "recipe", "changed_at")},
            }
            key = head and (doc_id, head.source_epoch, head.version, head.deleted, head.recipe, head.document_hash)
            is_wanted = what in (Status.WRITE, Status.SAME)
            texts = {it.ordinal: it.payload for it in self.rows if it.ordinal is not None and it[:6] == key}
            desired = [texts[i] for i in range(len(texts))] if is_wanted else []
            records = [
                Record(record_id(doc_id, i), VECTOR, json.dumps({"text": text})) for i, text in enumerate(desired)
            ]
            yield Document(change, [content_hash(text) for text in desired], [1] * len(desired), records)

    def look(self) -> Iterator[Inspected | Stranger]:
        """Do what `Survey.look` does, but for ids that are not of our making."""
        there: dict[str, dict[int, str]] = {}
        for name, text in self.service.texts.items():
            if "#" in name:
                there.setdefault(name.split("#")[0], {})[int(name.split("#")[1])] = text
        found = self.statuses()
        for document in self.documents(found, found):
            texts = there.pop(document.doc_id, {})
            wanted = {i: record.metadata["text"] for i, record in enumerate(document.records)}
            present = {i: "" if wanted.get(i) == text else "differs" for i, text in texts.items()}
            yield judge(document, present)
        for doc_id, texts in there.items():
            yield Stranger(doc_id, sorted(texts), doc_id in self.world.source if self.world.has_feed else None)

    def findings(self) -> list[Finding]:
        return [finding for it in self.look() for finding in it.findings]

    def correct_state(self) -> None:
        self.service.append([it.state_row() for it in self.look() if it.state_is_wrong])

    def forget(self, doc_id: str) -> None:
        """Do what `forget` does."""
        service = self.service
        self.world.forgotten[doc_id] = True
        row = service.rows.get(doc_id) or {"doc_id": doc_id, "source_id": doc_id, "payload_hashes": []}
        row = dict.fromkeys(("version", "recipe", "model", "changed_at")) | {"deleted": True} | row
        room = len(row["payload_hashes"])
        listed = {name for name in service.texts if name.startswith(f"{doc_id}#")}
        ids = sorted(listed | {record_id(doc_id, ordinal) for ordinal in range(room)})
        service.append([row | {"document_hash": None, "payload_hashes": [None] * room}])
        service.delete(ids)
        assert not any(name.startswith(f"{doc_id}#") for name in service.texts)
        service.bury([], ids)
        service.append([row | {"document_hash": TOMBSTONE_HASH, "payload_hashes": [], "deleted": True, "model": None}])
