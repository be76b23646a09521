"""The pipeline without Spark: a source with its change feed, and four logs that follow it, each at its own pace.

A text is a string of letters, each of them a sentence; "!" makes it one that the rules refuse. What the tables do to
each other is written down once more here, so that histories can be drawn by the thousand; what decides (`winner`,
`status`, `plan_document`, `apply_window`, `Guard`) is the code itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipelines.apply import apply_window
from pipelines.documents import Document, windows
from pipelines.guard import Guard
from pipelines.ids import TOMBSTONE_HASH, content_hash, record_id
from pipelines.record import Record
from pipelines.report import SyncReport
from pipelines.status import Held, Status, status
from pipelines.winner import Head, winner
from tests.pipelines.logs import Change, Content, Log, Sentence, Version
from tests.pipelines.scene import NOON
from tests.pipelines.service import VECTOR, Service
from tests.pipelines.test_guard import SETTINGS, SUMMARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TABLES = ("raw", "documents", "sentences", "embeddings")


@dataclass(slots=True)
class World:
    """A source, its pipeline, and one index with its state a namespace."""

    source: dict[str, Content] = field(default_factory=dict)
    version: int = 0
    source_epoch: int = 0
    splitter: int = 1
    model: str = "m1"
    feed: list[Change] = field(default_factory=list)
    logs: dict[str, Log] = field(default_factory=lambda: {name: Log() for name in TABLES})
    services: dict[str, Service] = field(default_factory=dict)  # by namespace, one a model

    @property
    def service(self) -> Service:
        return self.services.setdefault(self.model, Service())

    @property
    def recipe(self) -> str:
        return f"clean-e{self.source_epoch}/split{self.splitter}/{self.model}"

    def commit(self, *changes: tuple[str, Content | None]) -> None:
        """Write documents to the source in one commit; None deletes. An overwrite names all of them."""
        self.version += 1
        for doc_id, content in changes:
            if (before := self.source.pop(doc_id, None)) is not None:
                self.feed.append(Change(doc_id, True, self.version, before))
            if content is not None:
                self.source[doc_id] = content
                self.feed.append(Change(doc_id, False, self.version, content))

    def make_again(self, content: dict[str, Content]) -> None:
        """Drop the source and make another one, whose versions start anew; then do as `prepare` advises."""
        self.source, self.feed, self.version = dict(content), [], 1
        self.feed = [Change(doc_id, False, 1, what) for doc_id, what in content.items()]
        self.source_epoch += 1
        self.refresh(*TABLES)

    def refresh(self, *tables: str) -> None:
        """Empty tables; their flows read again what is above them, `raw` the source as it stands."""
        for table in tables:
            self.logs[table].clear()
        if "raw" in tables:
            raw = self.logs["raw"]
            raw.append(Change(doc_id, False, self.version, what) for doc_id, what in self.source.items())
            raw.n_read = len(self.feed)

    def advance(self, table: str, n_rows: int | None = None) -> None:
        """Let a flow take in this many rows, or all there are: a micro-batch may end in the middle of a commit."""
        log = self.logs[table]
        if table == "raw":
            news = self.feed[log.n_read :][:n_rows]
            log.n_read += len(news)
            log.append(news)
            return
        above = self.logs[TABLES[TABLES.index(table) - 1]]
        numbered = [(number, row) for number, row in above.rows if number >= log.n_read][:n_rows]
        if numbered:
            log.n_read = numbered[-1][0] + 1
        take: Callable[[Any], Iterable[Any]] = getattr(self, f"_to_{table}")
        log.append(made for _, row in numbered for made in take(row))

    def update(self) -> None:
        """Let every flow read all there is."""
        for table in TABLES:
            self.advance(table)

    def _to_documents(self, row: Change) -> list[Version]:
        content = row.content if row.content.is_live and not row.is_delete else None
        return [Version(row.doc_id, self.source_epoch, row.version, content, f"clean-e{self.source_epoch}")]

    def _to_sentences(self, row: Version) -> list[Sentence]:
        recipe = f"{row.recipe}/split{self.splitter}"
        key = (row.doc_id, row.source_epoch, row.version)
        if row.content is None:
            return [Sentence(*key, True, recipe, TOMBSTONE_HASH, 0, None, "", "")]
        text, title = row.content
        pieces = [text[i : i + self.splitter] for i in range(0, len(text), self.splitter)]
        whole = content_hash(f"{text}|{title}")
        return [
            Sentence(*key, False, recipe, whole, len(pieces), i, f"{piece}|{title}", "")
            for i, piece in enumerate(pieces)
        ]

    def _to_embeddings(self, row: Sentence) -> list[Sentence]:
        return [
            row._replace(recipe=f"{row.recipe}/{self.model}", payload=f"{row.payload}|{self.model}", model=self.model)
        ]

    def sync(self, n_window: int = 4, *, retry: bool = False) -> SyncReport:
        """Do what `sync` does: heads, statuses, guard, windows."""
        recipe, service = self.recipe, self.service
        rows = dict.fromkeys(row for _, row in self.logs["embeddings"].rows)
        heads: dict[str, list[Head]] = {}
        for key, n_rows in Counter(row[:7] for row in rows).items():
            heads.setdefault(key[0], []).append(Head(*key, n_rows))
        dead = service.dead_letters()
        documents, n_gone, n_reshaped = [], 0, 0
        for doc_id in sorted(heads.keys() | service.rows.keys() | self.source.keys()):
            head = winner(heads[doc_id], recipe) if doc_id in heads else None
            row = service.rows.get(doc_id)
            if head is None and row is None:
                continue
            held = Held(row["document_hash"], row["recipe"], row["deleted"]) if row else None
            if held and retry and doc_id in dead:
                held = replace(held, document_hash=None)
            what = status(head, held, recipe, in_source=doc_id in self.source)
            n_gone += what == Status.DELETE and not (head and head.deleted)
            n_reshaped += bool(head and not head.deleted and head.recipe.split("/")[0] != recipe.split("/")[0])
            if what in (Status.SAME, Status.PENDING):
                continue
            change = {
                "doc_id": doc_id,
                "source_id": doc_id,
                "status": what,
                "head_known": head is not None,
                "version": head and head.version,
                "document_hash": head and head.document_hash,
                "recipe": head and head.recipe,
                "model": self.model,
                "changed_at": NOON,
                "held": row and row["payload_hashes"],
                "held_deleted": bool(row and row["deleted"]),
                **{f"held_{name}": row and row[name] for name in ("source_id", "version", "recipe", "changed_at")},
                "held_hash": row and row["document_hash"],
            }
            texts = {
                it.ordinal: it.payload
                for it in rows
                if head and what == Status.WRITE and it[:6] == _key(head) and it.ordinal is not None
            }
            desired = [texts[i] for i in range(len(texts))]
            records = [Record(record_id(doc_id, i), VECTOR, "{}", {"text": text}) for i, text in enumerate(desired)]
            documents.append(Document(change, [content_hash(text) for text in desired], [1] * len(records), records))
        guard = Guard(replace(SUMMARY, n_held=0, n_gone=n_gone, n_reshaped=n_reshaped), SETTINGS)
        guard.check()
        report = SyncReport("run", "docs", "all", NOON, 0)
        for window in windows(documents, n_window):
            apply_window(window, service, service, report, guard=guard, dead=dead)
        return report

    def expected(self) -> dict[str, str]:
        """Say from the source alone what the index must hold."""
        return {
            record_id(doc_id, i // self.splitter): f"{text[i : i + self.splitter]}|{title}|{self.model}"
            for doc_id, (text, title) in self.source.items()
            if Content(text, title).is_live
            for i in range(0, len(text), self.splitter)
        }


def _key(head: Head) -> tuple[str, int, int, bool, str, str]:
    return head.doc_id, head.source_epoch, head.version, head.deleted, head.recipe, head.document_hash
