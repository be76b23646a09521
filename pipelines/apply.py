"""Windows of documents, sent: intent, upserts, deletes, and only then what is known."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, Final, Protocol

from pipelines.cost import add_cost
from pipelines.ids import record_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Executor, Future
    from typing import Any

    from pipelines.documents import Document
    from pipelines.guard import Guard
    from pipelines.plan import DocumentPlan
    from pipelines.record import DeadLetter, Record
    from pipelines.report import SyncReport

    Plans = Sequence[tuple[Document, DocumentPlan]]

N_SENDING: Final = 2  # windows at a time
N_LARGEST: Final = 5  # documents that a plan names


class Memory(Protocol):
    """What `State` is to a window."""

    def append(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Write rows of `index_state`, of each document the one that counts from now on."""

    def dead_letters(self) -> dict[str, set[str]]:
        """Return the ids of refused records by document."""

    def bury(self, refused: Sequence[Mapping[str, Any]], alive: Iterable[str]) -> None:
        """Note in `dead_letter` what was refused, and take out what no longer is."""


class Writer(Protocol):
    """What `VectorIndex` is to a window."""

    def upsert(self, records: Sequence[Record]) -> list[DeadLetter]:
        """Write records; return those it refuses for good. Called in several threads, also while `delete` runs."""

    def delete(self, ids: Sequence[str]) -> None:
        """Delete records; ids that are not there are fine."""


def apply_windows(  # noqa: PLR0913  # what windows need
    windows: Iterable[Sequence[Document]],
    state: Memory,
    index: Writer,
    report: SyncReport,
    *,
    guard: Guard,
    sending: Executor,
) -> Iterator[None]:
    """Make the index hold what the windows' documents should, and the state say so.

    A crash anywhere leaves a state that claims nothing it does not know: the intent says so of every record that a
    request may touch, and what is done is written only after the last answer. A refused record is noted before that,
    or a crash in between would lose it in silence.

    `N_SENDING` windows are with the index at a time, so that one begins while the last requests of the one before are
    out. When one is done this thread notes what became of it, reads another and writes its intent, in one commit,
    while the others are sent. The driver holds `N_SENDING` windows.

    Args:
        windows: documents that differ, with their records; no document is in two windows.
        state: of the namespace.
        index: the namespace; who gets an error stops it, and then waits for `sending`.
        report: counts are added to it.
        guard: asked before an old record is deleted because its successor was refused.
        sending: at least `N_SENDING` threads.

    Yields:
        after each window that was sent.

    Raises:
        VectorIndexError: a request failed; the state says that nothing is known of what it touched.
        SyncRefused: the guard does not allow so many deletes.
    """
    ahead = iter(windows)
    out: deque[tuple[Plans, Future[list[DeadLetter]]]] = deque()

    def turn(sent: _Sent) -> None:
        window = next(ahead, ())
        plans = [(document, document.plan()) for document in window]
        intent = [document.intent_row(plan) for document, plan in plans if plan.upserts or plan.deletes]
        state.bury(sent.refused, sent.alive)
        state.append([*sent.rows, *intent])
        if window:
            records = [document.records[ordinal] for document, plan in plans for ordinal in plan.upserts]
            out.append((plans, sending.submit(index.upsert, records)))

    for _ in range(N_SENDING):
        turn(_Sent())
    dead = state.dead_letters() if out else {}  # of earlier runs; the index is at work by now
    while out:
        sent = _settle(*out.popleft(), index, report, guard=guard, dead=dead)
        yield
        turn(sent)


@dataclass(frozen=True, slots=True)
class _Sent:
    """What is to be noted of a window that was sent."""

    rows: Sequence[Mapping[str, Any]] = ()  # of `index_state`
    refused: Sequence[Mapping[str, Any]] = ()  # rows of `dead_letter`
    alive: Sequence[str] = ()  # ids that are no dead letters any more


def _settle(  # noqa: PLR0913  # what a window needs
    plans: Plans,
    answer: Future[list[DeadLetter]],
    index: Writer,
    report: SyncReport,
    *,
    guard: Guard,
    dead: Mapping[str, set[str]],
) -> _Sent:
    """Wait until a window's upserts were answered, delete what it is to delete, and count."""
    refused = {letter.record_id: letter for letter in answer.result()}
    upserts = [(document, ordinal) for document, plan in plans for ordinal in plan.upserts]
    gone = [(document, ordinal) for document, plan in plans for ordinal in plan.deletes]
    places = [(document, o) for document, o in upserts if document.records[o].id in refused]
    # What the index refuses must not leave behind what stood there before.
    stale = [(document, o) for document, o in places if o < len(document.held)]
    guard.allow_deletes(len(stale))
    # Those known to be there first, for the first of a request proves that the request was seen.
    deletes = sorted([*gone, *stale], key=lambda it: it[0].held[it[1]] is None)
    index.delete([record_id(document.doc_id, o) for document, o in deletes])
    lost: dict[str, set[int]] = {}
    for document, ordinal in places:
        lost.setdefault(document.doc_id, set()).add(ordinal)
    report.n_upserted += len(upserts) - len(refused)
    report.n_deleted += len(deletes)
    report.n_unchanged += sum(plan.n_unchanged for _, plan in plans)
    report.n_refused += len(refused)
    _add_cost(report, [(it, o) for it, o in upserts if it.records[o].id not in refused], len(deletes))
    return _Sent(
        [document.done_row(lost.get(document.doc_id, ())) for document, _ in plans],
        [_letter(document, o, refused[document.records[o].id]) for document, o in places],
        [i for document, _ in plans for i in sorted(dead.get(document.doc_id, ())) if i not in refused],
    )


def plan_window(window: Sequence[Document], report: SyncReport) -> None:
    """Count what `apply_windows` would do, and do nothing."""
    upserts, n_deletes, sent = [], 0, []
    for document in window:
        plan = document.plan()
        upserts += [(document, ordinal) for ordinal in plan.upserts]
        n_deletes += len(plan.deletes)
        report.n_unchanged += plan.n_unchanged
        n_bytes = sum(document.sizes[ordinal] for ordinal in plan.upserts)
        sent.append((document.change["source_id"] or document.change["held_source_id"], len(plan.upserts), n_bytes))
    report.n_upserted += len(upserts)
    report.n_deleted += n_deletes
    report.largest = nlargest(N_LARGEST, [*report.largest, *(it for it in sent if it[1])], key=lambda it: it[2])
    _add_cost(report, upserts, n_deletes)


def _add_cost(report: SyncReport, upserts: Sequence[tuple[Document, int]], n_deletes: int) -> None:
    written = [document.sizes[o] for document, o in upserts]
    add_cost(report, written, [document.sizes[o] for document, o in upserts if o < len(document.held)], n_deletes)


def _letter(document: Document, ordinal: int, refused: DeadLetter) -> dict[str, Any]:
    return {
        "id": refused.record_id,
        "doc_id": document.doc_id,
        "source_id": document.change["source_id"],
        "payload_hash": document.hashes[ordinal],
        "status": refused.status,
        "reason": refused.reason,
    }
