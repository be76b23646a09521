"""Whatever happened, and wherever it stopped: once all is read and synced, the index is what the source alone says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.apply import apply_windows
from pipelines.ids import record_id
from pipelines.inspection import Inspected, judge
from pipelines.status import Held, Status, status
from tests.pipelines.histories import N_HISTORIES, Histories, run

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from pipelines.documents import Document
    from pipelines.form import LastRun
    from pipelines.plan import DocumentPlan
    from pipelines.winner import Head
    from tests.pipelines.service import Service
    from tests.pipelines.task import Task


def test_every_history_ends_as_its_source_says() -> None:
    run()
    assert Histories.counts["settled, whole"] >= N_HISTORIES
    assert Histories.counts["settled, incremental"] >= N_HISTORIES
    assert Histories.counts["died"] >= N_HISTORIES // 10


# Copies of the code with one fault each, as products of this kind have had them.


def trusting_a_missing_row(head: Head | None, held: Held | None, recipe: str, **known: Any) -> Status:
    return Status.DELETE if head is None else status(head, held, recipe, **known)


def forgetting_ties(heads: Iterable[Head], recipe: str) -> Head:
    return min(heads, key=lambda head: (-head.source_epoch, -head.version, head.recipe != recipe, not head.deleted))


def without_intent(document: Document, _plan: DocumentPlan) -> dict[str, Any]:
    return document.row(document.held, document.change["held_hash"])


def recording_before_the_answer(document: Document, _plan: DocumentPlan) -> dict[str, Any]:
    return document.done_row()


def deleting_first(
    windows: Iterable[Sequence[Document]], state: Service, index: Service, *rest: Any, **more: Any
) -> Iterator[None]:
    documents = [document for window in windows for document in window]
    for document in documents:
        if document.held:
            state.append([document.row((None,) * max(len(document.held), len(document.hashes)), None)])
            index.delete([record_id(document.doc_id, ordinal) for ordinal in range(len(document.held))])
            document.change["held"] = [None] * len(document.held)
    yield from apply_windows([documents] if documents else [], state, index, *rest, **more)


def blind_to_the_source(task: Task, last: LastRun) -> set[str]:
    return {*task.world.logs["embeddings"].touched[last.table_version :], *task.world.forgotten}


def always_incremental(last: LastRun | None, *_: Any) -> str | None:
    return "the first" if last is None else None


def without_what_is_beyond_the_text(document: Document, present: Mapping[int, str], **_: Any) -> Inspected:
    return judge(document, {ordinal: wrong for ordinal, wrong in present.items() if ordinal < len(document.hashes)})


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("tests.pipelines.task.status", trusting_a_missing_row),
        ("tests.pipelines.task.winner", forgetting_ties),
        ("pipelines.documents.Document.intent_row", without_intent),
        ("pipelines.documents.Document.intent_row", recording_before_the_answer),
        ("tests.pipelines.task.apply_windows", deleting_first),
        ("tests.pipelines.task.Task.changed", blind_to_the_source),
        ("tests.pipelines.task.why_whole", always_incremental),
        ("tests.pipelines.task.judge", without_what_is_beyond_the_text),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_known_fault_is_found(place: str, fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, fault)
    with pytest.raises((AssertionError, KeyError, ExceptionGroup)):
        run()


def keyed_by_text(
    windows: Iterable[Sequence[Document]], state: Service, index: Service, *_: Any, **_more: Any
) -> Iterator[None]:
    for document in (document for window in windows for document in window):
        pairs = zip(document.records, document.hashes, strict=True)
        index.upsert([replace(record, id=name) for record, name in pairs if name not in document.held])
        index.delete([name for name in document.held if name is not None and name not in document.hashes])
        state.append([document.done_row()])
        yield


class KeyedByText(Histories):
    """Two documents with a sentence in common share its record; only texts can be compared, for ids are others."""

    def foreign(self) -> set[str]:
        return {"theirs"}

    def check(self, _foreign: Container[str] = ()) -> None:
        return

    def nothing_is_lost_without_proof(self, _before: dict[str, str]) -> None:
        return

    def compare(self, texts: dict[str, str], expected: dict[str, str]) -> None:
        assert set(expected.values()) <= set(texts.values())


def test_records_keyed_by_their_text_are_found_to_lose_what_two_documents_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.pipelines.task.apply_windows", keyed_by_text)
    monkeypatch.setattr(Histories, "refuse", lambda _self: None)
    monkeypatch.setattr(Histories, "sync_and_perhaps_die", lambda _self: None)
    with pytest.raises((AssertionError, ExceptionGroup)):
        run(KeyedByText)
