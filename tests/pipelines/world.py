"""The pipeline without Spark: a source with its change feed, and four logs that follow it, each at its own pace.

A text is a string of letters, each of them a sentence; "!" makes it one that the rules refuse. What the tables do to
each other is written down once more here, so that histories can be drawn by the thousand; `task` has what the job does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.ids import TOMBSTONE_HASH, content_hash, record_id
from tests.pipelines.logs import Change, Content, Log, Sentence, Version
from tests.pipelines.service import Service

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
    has_feed: bool = True  # without one, documents are only ever added, and the source proves nothing
    namespace: str = "n1"
    new_service: Callable[[], Service] = Service
    services: dict[tuple[str, str], Service] = field(default_factory=dict)  # by namespace and model
    forgotten: dict[str, bool] = field(default_factory=dict)  # doc_id -> still kept out

    @property
    def service(self) -> Service:
        key = (self.namespace, self.model)
        if key not in self.services:
            self.services[key] = self.new_service()
        return self.services[key]

    @property
    def columns(self) -> str:
        """The recipe of `documents`."""
        return f"clean-e{self.source_epoch}-{'changes' if self.has_feed else 'appends'}"

    @property
    def recipe(self) -> str:
        return f"{self.columns}/split{self.splitter}/{self.model}"

    def commit(self, *changes: tuple[str, Content | None]) -> None:
        """Write documents to the source in one commit; None deletes. An overwrite names all of them."""
        self.version += 1
        for doc_id, content in changes:
            if not self.has_feed and (content is None or doc_id in self.source):
                continue
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
        return [Version(row.doc_id, self.source_epoch, row.version, content, self.columns)]

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

    def expected(self) -> dict[str, str]:
        """Say from the source alone what the index must hold."""
        return {
            record_id(doc_id, i // self.splitter): f"{text[i : i + self.splitter]}|{title}|{self.model}"
            for doc_id, (text, title) in self.source.items()
            if Content(text, title).is_live and not self.forgotten.get(doc_id)
            for i in range(0, len(text), self.splitter)
        }
