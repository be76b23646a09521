"""Histories of a world, drawn: whatever happened, once all is read and synced the index is what the source says."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from pipelines.errors import LeaseLost, SyncRefused, VectorIndexError
from pipelines.inspection import Kind
from tests.pipelines.happenings import CONTENTS, IDS, Happenings
from tests.pipelines.service import CrashError, Fuse
from tests.pipelines.task import Task
from tests.pipelines.world import TABLES, World

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from pipelines.report import SyncReport
    from tests.pipelines.logs import Content

N_HISTORIES = 2_000
ENDS = st.sampled_from([CrashError, partial(VectorIndexError, "it passes"), partial(LeaseLost, "another may write")])


class Histories(Happenings):
    """Whatever happens, syncs that live and syncs that die: what must hold between them, and after each that lives."""

    counts: ClassVar[Counter[str]] = Counter()

    @rule(doc_id=IDS, length=st.none() | st.integers(0, 6))
    def forget(self, doc_id: str, length: int | None) -> None:
        self.dies_at(length, lambda: Task(self.world).forget(doc_id))

    @rule(length=st.integers(0, 9), n_window=st.integers(1, 6), update=st.booleans(), end=ENDS)
    def sync_and_perhaps_die(self, length: int, n_window: int, update: bool, end: Callable[[], Exception]) -> None:
        if update:
            self.world.update()
        self.mend(length)
        before, rehearsal = dict(self.service.texts), self.rehearsal()
        refused = outcome(rehearsal, n_window)
        self.dies_at(length, lambda: outcome(self.world, n_window), end)
        assert not refused or self.service.texts == before
        # What was there and is to be there is there all the time.
        assert before.keys() & rehearsal.service.texts.keys() <= self.service.texts.keys()
        self.nothing_is_lost_without_proof(before)

    def rehearsal(self) -> World:
        """Give a world to try things in."""
        return deepcopy(self.world)

    def mend(self, length: int | None = None) -> None:
        """Take over, or repair, what was changed behind our back; perhaps die meanwhile."""
        if self.place in self.damaged:
            self.dies_at(length, lambda: Task(self.world).correct_state())
            Task(self.world).correct_state()

    def dies_at(self, length: int | None, act: Callable[[], object], end: Callable[[], Exception] = CrashError) -> None:
        self.service.fuse = Fuse(length, end)
        try:
            act()
        except (CrashError, VectorIndexError, LeaseLost) as error:
            self.counts["died"] += 1
            if self.service.last is not None and not isinstance(error, CrashError):
                # A process that is killed notes nothing.
                self.service.last = replace(self.service.last, outcome="failed")
        self.service.fuse = Fuse(None)
        if self.place not in self.damaged:
            self.check()

    def nothing_is_lost_without_proof(self, before: dict[str, str]) -> None:
        """A document that the source holds, and of which no table has a tombstone, keeps what it had."""
        rows = [row for _, row in self.world.logs["embeddings"].rows]
        buried = {row.doc_id for row in rows if row.deleted} | set(self.world.forgotten)
        buried |= {doc_id for doc_id, row in self.service.rows.items() if row["deleted"]}  # by a table since replaced
        for name in before.keys() - self.service.texts.keys() - self.planted:
            doc_id, ordinal = name.split("#")
            own = [row for row in rows if row.doc_id == doc_id]
            is_shorter = any(int(ordinal) >= row.n_sentences for row in own)
            texts = [row.payload for row in own if row.ordinal == int(ordinal)]
            refused = name in self.service.dead or any(text[0] in self.service.refuses for text in texts)
            assert doc_id not in self.world.source or doc_id in buried or is_shorter or refused

    @rule(
        n_window=st.integers(1, 6),
        retry=st.booleans(),
        edits=st.dictionaries(IDS, CONTENTS | st.none(), max_size=2),
    )
    def settle(self, n_window: int, retry: bool, edits: dict[str, Content | None]) -> None:
        if self.is_stale:
            self.world.refresh(*TABLES)
            self.is_stale = False
        self.mend()
        before = dict(self.service.texts)
        outcome(self.world, n_window)  # of tables that may be in the middle of a rebuild
        self.nothing_is_lost_without_proof(before)
        self.world.update()
        self.mend()  # now that every document can be judged
        self.damaged.discard(self.place)
        if not Task(self.world, retry).is_allowed():
            self.world.refresh(*TABLES)  # as the refusal says
            self.world.update()
        self.converge(Task(self.world, retry).sync(n_window))
        n_requests = self.service.n_requests
        assert Task(self.world).sync(n_window).form == "incremental" or not self.service.rows
        assert self.service.n_requests == n_requests

        rows = dict(self.service.rows)
        self.world.commit(*edits.items())
        self.world.update()
        report = Task(self.world).sync(n_window)
        assert report.form == "incremental" or not rows
        self.converge(report)

    def converge(self, report: SyncReport) -> None:
        """After a good sync of whole tables the index is what the source says."""
        self.counts[f"settled, {report.form}"] += 1
        expected, foreign = self.world.expected(), self.foreign()
        self.check(foreign)
        texts = {name: text for name, text in self.service.texts.items() if name not in foreign}
        self.compare(texts, {name: text for name, text in expected.items() if name not in self.service.dead})
        assert self.service.dead.keys() <= expected.keys()

    def foreign(self) -> set[str]:
        """Reconcile, which finds nothing but what nobody can know of; return that."""
        findings = Task(self.world).findings()
        assert {finding.kind for finding in findings} <= {Kind.FOREIGN}
        assert not findings or not self.world.has_feed  # a source with a feed knows its own
        return {"theirs", *(finding.record_id for finding in findings)}

    def check(self, foreign: Container[str] = ()) -> None:
        self.service.check(foreign)

    def compare(self, texts: dict[str, str], expected: dict[str, str]) -> None:
        assert texts == expected

    def teardown(self) -> None:
        self.service.refuses = ""
        self.settle(3, retry=True, edits={})
        assert self.service.dead == {}


def outcome(world: World, n_window: int) -> bool:
    """Sync; say whether the guard refused it."""
    try:
        Task(world).sync(n_window)
    except SyncRefused:
        return True
    return False


def run(machine: type[Histories] = Histories, n_histories: int = N_HISTORIES, drawn_by: int | None = None) -> None:
    """Play histories: the same ones each time, or those of a seed."""
    Histories.counts.clear()
    chosen = settings(
        max_examples=n_histories,
        stateful_step_count=14,
        deadline=None,
        database=None,
        derandomize=drawn_by is None,
        phases=[Phase.generate],  # to make a failing history small takes minutes
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )

    def begun() -> Histories:  # a seed stays with what it is given to
        return machine()

    run_state_machine_as_test(machine if drawn_by is None else seed(drawn_by)(begun), settings=chosen)
