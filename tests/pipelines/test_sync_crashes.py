"""A sync that dies anywhere leaves a state from which the next one converges, be its plan the same or another."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines import commit
from pipelines import sync as sync_module
from pipelines.apply import apply_windows
from pipelines.documents import Document, windows
from pipelines.guard import Guard
from pipelines.ids import TOMBSTONE_HASH, content_hash, record_id
from pipelines.index import VectorIndex
from pipelines.record import DeadLetter, Record
from pipelines.report import SyncReport
from pipelines.state_tables import INDEX_STATE
from tests.pipelines.scene import NOON, Version, desired
from tests.pipelines.service import VECTOR, CrashError, Fuse, Service
from tests.pipelines.test_guard import SETTINGS, SUMMARY
from tests.pipelines.threads import threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.pipelines.scene import Scene


def differing(wanted: Mapping[str, str], service: Service, *, retry: bool) -> Iterator[Document]:
    """Find documents that differ, as `to_changes` and `read_documents` do; a letter is a sentence."""
    for doc_id in sorted({*wanted, *service.rows}):
        sentences, row = wanted.get(doc_id, ""), service.rows.get(doc_id)
        head = content_hash(sentences) if sentences else TOMBSTONE_HASH
        if not (retry and doc_id in service.dead_letters()) and (
            row["document_hash"] == head if row else not sentences
        ):
            continue
        change = {
            "doc_id": doc_id,
            "status": "write" if sentences else "delete",
            "head_known": True,
            "source_id": doc_id,
            "version": 1,
            "document_hash": head,
            "recipe": "r",
            "model": "m",
            "changed_at": NOON,
            "held": row and row["payload_hashes"],
            "held_deleted": bool(row and row["deleted"]),
        }
        records = [Record(record_id(doc_id, i), VECTOR, json.dumps({"text": text})) for i, text in enumerate(sentences)]
        yield Document(change, [content_hash(text) for text in sentences], [1] * len(records), records)


def run(wanted: Mapping[str, str], service: Service, n_window: int, *, retry: bool = False) -> SyncReport:
    report = SyncReport("run", "docs", "all", NOON, 0)
    ahead = windows(list(differing(wanted, service, retry=retry)), n_window)
    sending = threads(n_window, service.random)
    for _ in apply_windows(ahead, service, service, report, guard=ANY, sending=sending):
        pass
    return report


ANY = Guard(replace(SUMMARY, n_held=0), SETTINGS)
Step = tuple[dict[str, str], int | None, str]
STEPS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("pqr"), st.text("abc", min_size=1, max_size=4)),
        st.none() | st.integers(0, 12),
        st.sampled_from(["", "", "a", "bc"]),
    ),
    min_size=1,
    max_size=8,
)


@hypothesis_settings(deadline=None, max_examples=300)
@given(STEPS, st.integers(1, 6), st.integers(0, 3))
def test_whatever_dies_where_the_next_sync_that_lives_converges(steps: list[Step], n_window: int, seed: int) -> None:
    service = Service(random=Random(seed))  # noqa: S311  # no secret
    for wanted, length, refuses in [*steps, (steps[-1][0], None, "")]:
        service.fuse, service.refuses = Fuse(length), refuses
        before = dict(service.dead)
        try:
            report = run(wanted, service, n_window)
        except CrashError:
            service.check()
            continue
        service.check()
        records = {record_id(d, i): text for d, texts in wanted.items() for i, text in enumerate(texts)}
        assert service.texts == {i: text for i, text in records.items() if i not in service.dead}
        assert service.dead.keys() <= records.keys()
        assert report.n_refused == sum(n - before.get(i, 0) for i, n in service.dead.items())
    wanted, _, _ = steps[-1]
    n_requests = service.n_requests
    assert run(wanted, service, n_window).n_refused == 0
    assert service.n_requests == n_requests  # what was refused before is not tried again by itself
    run(wanted, service, n_window, retry=True)
    assert service.dead == {}
    assert service.texts == records


@pytest.mark.parametrize("then", ["abcd", "abxd", "ab", "", "wxyz12"])
def test_every_step_of_one_sync_can_be_the_last(then: str) -> None:
    """A text is edited and grows; at each step it dies, and `then` is what comes next."""
    n_steps = 0
    while True:
        service = Service()
        run({"p": "abcd", "q": "ab"}, service, 10)
        service.fuse = Fuse(n_steps)
        try:
            run({"p": "axcdef"}, service, 3)
        except CrashError:
            service.check()
        else:
            break
        service.fuse = Fuse(None)
        run({"p": then} if then else {}, service, 3)
        service.check()
        assert service.texts == {record_id("p", i): text for i, text in enumerate(then)}
        n_steps += 1
    assert (
        n_steps == 4 + 4 + 3 + 2
    )  # writes of the state; looks at dead letters; sentences edited and new; sentences deleted


class Heard(Service):
    """It also remembers what it was asked to delete."""

    asked: Sequence[str] = ()

    def delete(self, ids: Sequence[str]) -> None:
        self.asked = ids
        super().delete(ids)


def test_what_is_known_to_be_there_is_deleted_first_for_it_proves_that_the_request_was_seen() -> None:
    service = Heard()
    run({"p": "abc"}, service, 10)
    service.rows["p"]["payload_hashes"][0] = None
    run({}, service, 10)
    assert list(service.asked) == [record_id("p", 1), record_id("p", 2), record_id("p", 0)]


def test_garbage_is_looked_for_as_before_however_an_apply_ends() -> None:
    before = gc.get_threshold()
    dies_at_once = Fuse(0)
    with pytest.raises(CrashError), sync_module._few_collections():
        dies_at_once.burn()
    assert gc.get_threshold() == before
    with sync_module._few_collections():
        assert gc.get_threshold()[0] > before[0]


class MortalIndex(VectorIndex):
    """The real one, but the process dies before a write is sent, or after it was taken and before its answer."""

    fuse = Fuse(None)

    def upsert(self, records: Sequence[Record]) -> list[DeadLetter]:
        refused = []
        for record in records:
            self.fuse.burn()
            refused += super().upsert([record])
        self.fuse.burn()
        return refused

    def delete(self, ids: Sequence[str]) -> None:
        for gone in ids:
            self.fuse.burn()
            super().delete([gone])
        self.fuse.burn()


@pytest.mark.long
def test_a_real_sync_converges_after_two_that_died(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_module, "VectorIndex", MortalIndex)
    monkeypatch.setattr(sync_module, "WINDOW_RECORDS", 4)
    first, second = Version("p", 1, ("a", "b", "c")), Version("q", 1, ("d", "e"))
    longer, gone = replace(first, version=2, sentences=("a", "x", "c", "y")), replace(second, version=2, sentences=())
    last = (replace(first, version=3, sentences=("a", "b")), replace(second, version=3))
    scene.prepare()
    for length, versions in ((4, (first, second)), (2, (longer, gone))):
        scene.log(*versions)
        monkeypatch.setattr(MortalIndex, "fuse", Fuse(length))
        with pytest.raises(CrashError):
            scene.sync()
    assert [(row.outcome, row.error) for row in scene.runs()] == [("failed", "CrashError")] * 2
    scene.log(*last)
    monkeypatch.setattr(MortalIndex, "fuse", Fuse(None))
    monkeypatch.setattr(commit, "MANY_FILES", 0)
    scene.sync()
    assert scene.contents() == desired(*last)
    assert scene.spark.table(scene.settings.table(INDEX_STATE.name)).count() == len(last)  # it compacted the log
