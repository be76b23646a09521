"""Every record of a namespace, looked at: listed, fetched in pages, and held against tables and state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.compare import classify
from pipelines.documents import Document, read_documents, windows
from pipelines.ids import record_id
from pipelines.inspection import Finding, Inspected, Kind, by_document, fault, judge
from pipelines.rows import kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import SparkSession

    from pipelines.reader import Reader
    from pipelines.settings import Settings
    from pipelines.snapshot import Snapshot
    from pipelines.state import State

_WINDOW_RECORDS = 10_000
_STATUSES = ("same", "write", "delete", "pending")


@dataclass(frozen=True, slots=True)
class Stranger:
    """Records with ids of ours, of a document that neither tables nor state know."""

    doc_id: str
    ordinals: Sequence[int]
    in_source: bool | None  # None where that cannot be known

    @property
    def state_is_wrong(self) -> bool:
        """What is there has no room in the state; unless it may be somebody else's."""
        return self.in_source is not None

    @property
    def findings(self) -> list[Finding]:
        """Say what they are: a delete needs proof."""
        kind, detail = {
            True: (Kind.PENDING, "the source holds its document, the tables do not yet"),
            False: (Kind.ORPHAN, "no table, and not the source, knows its document"),
            None: (Kind.FOREIGN, "no table knows its document, and the source cannot be asked"),
        }[self.in_source]
        return [Finding(kind, record_id(self.doc_id, ordinal), None, detail) for ordinal in self.ordinals]

    def state_row(self) -> dict[str, Any]:
        """Return its row of `index_state`: room for what is there, and nothing known."""
        unknown = ("source_id", "version", "document_hash", "recipe", "model", "changed_at")
        room = [None] * (1 + max(self.ordinals))
        return dict.fromkeys(unknown) | {"doc_id": self.doc_id, "deleted": False, "payload_hashes": room}


@dataclass(frozen=True, slots=True)
class Foreign:
    """A record that is not of our making, by its id or by its metadata."""

    record_id: str
    state_is_wrong: bool = False

    @property
    def findings(self) -> list[Finding]:
        """Say so."""
        return [Finding(Kind.FOREIGN, self.record_id, None, "it is not of our making")]


@dataclass(frozen=True, slots=True)
class Survey:
    """One look at a namespace.

    Args:
        spark: a session that sees the tables.
        settings: which index and namespace.
        state: what is known of it.
        snapshot: the versions of the tables to hold it against.
        reader: of the namespace.
    """

    spark: SparkSession
    settings: Settings
    state: State
    snapshot: Snapshot
    reader: Reader

    def look(self) -> Iterator[Inspected | Stranger | Foreign]:
        """Yield every document that tables or state know, every other one found, and what is not of our making.

        The driver holds all ids at once, some 100 MB a million, and the records of one window.
        """
        listed, foreign = by_document(self.reader.list_ids())
        yield from map(Foreign, foreign)
        young = self.state.young()
        embeddings, changes = classify(self.spark, self.settings, self.state, self.snapshot)
        documents = read_documents(
            embeddings, kept(changes), _STATUSES, n_records=embeddings.count(), with_records=True
        )
        for window in windows(documents, _WINDOW_RECORDS):
            yield from self._window(window, listed, young)
        source_ids = self.snapshot.source_ids(self.spark, self.settings)
        in_source = set()
        if source_ids is not None and listed:
            strangers = self.spark.createDataFrame([(doc_id,) for doc_id in listed], "doc_id STRING")
            in_source = {row.doc_id for row in source_ids.join(F.broadcast(strangers), "doc_id", "left_semi").collect()}
        for doc_id, ordinals in listed.items():
            # An id may be shaped like ours by chance: ours say in their metadata whose they are.
            found = self.reader.fetch([record_id(doc_id, ordinal) for ordinal in ordinals])
            theirs = [name for name, record in found.items() if record.metadata.get("doc_id") != doc_id]
            yield from map(Foreign, theirs)
            ours = sorted(set(ordinals) - {int(name.partition("#")[2]) for name in theirs})
            if ours:
                yield Stranger(doc_id, ours, None if source_ids is None else doc_id in in_source)

    def findings(self) -> Iterator[Finding]:
        """Look, and say what is not as it should be."""
        return (finding for it in self.look() for finding in it.findings)

    def correct_state(self) -> Iterator[Finding]:
        """Look, and note in the state what is seen wherever it says otherwise; a sync can then go on from there.

        A record that is as it should be is known from then on; any other has room, so that a sync replaces or deletes
        it. So a namespace without state is taken over, and a damaged one is mended. All of it is one commit: half of
        the records noted would leave the other half to nobody.

        Yields:
            what was found.
        """
        rows = []
        for it in self.look():
            yield from it.findings
            if it.state_is_wrong:
                assert not isinstance(it, Foreign)  # noqa: S101  # of which the state never tells
                rows.append(it.state_row())
        self.state.append(rows)

    def _window(self, window: Sequence[Document], listed: dict[str, list[int]], young: set[str]) -> Iterator[Inspected]:
        there = {document.doc_id: listed.pop(document.doc_id, []) for document in window}
        wanted = {
            document.records[ordinal].id: document.records[ordinal]
            for document in window
            for ordinal in there[document.doc_id]
            if ordinal < len(document.records)
        }
        found = self.reader.fetch(list(wanted))
        for document in window:
            present = {}
            for ordinal in there[document.doc_id]:
                name = record_id(document.doc_id, ordinal)
                if name not in wanted:
                    present[ordinal] = "nothing wants it"
                elif name in found:  # else it went since it was listed
                    present[ordinal] = fault(wanted[name], found[name])
            yield judge(document, present, is_young=document.doc_id in young)
