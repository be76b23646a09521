"""Histories of a world, drawn: whatever happened, once all is read and synced the index is what the source says."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from pipelines.errors import SyncRefused, VectorIndexError
from pipelines.form import WHOLE_EVERY_S
from pipelines.ids import record_id
from pipelines.inspection import Kind
from tests.pipelines.logs import Content
from tests.pipelines.service import CrashError, Fuse, Service
from tests.pipelines.task import Task
from tests.pipelines.world import TABLES, World

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from pipelines.report import SyncReport

N_HISTORIES = 2_000
IDS = st.sampled_from("pqrs")
TEXTS = st.text("abc", max_size=5) | st.sampled_from(["a!", "abcabcabc"])  # blank, refused, and long ones among them
CONTENTS = st.builds(Content, TEXTS, st.sampled_from(["", "title"]))


class Histories(RuleBasedStateMachine):
    """One world, changed in every way that it can change."""

    counts: ClassVar[Counter[str]] = Counter()
    new_service: ClassVar[Callable[[], Service]] = Service

    def __init__(self) -> None:
        super().__init__()
        self.world = World(new_service=self.new_service)
        self.is_stale = False  # settings changed: only a full refresh makes the log whole again
        self.damaged: set[tuple[str, str]] = set()  # namespaces changed behind our back
        self.planted: set[str] = set()  # records written there

    @property
    def service(self) -> Service:
        return self.world.service

    @property
    def place(self) -> tuple[str, str]:
        return self.world.namespace, self.world.model

    @initialize(contents=st.dictionaries(IDS, CONTENTS), has_feed=st.sampled_from([True, True, True, False]))
    def begin(self, contents: dict[str, Content], has_feed: bool) -> None:
        self.world.has_feed = has_feed
        self.world.commit(*contents.items())
        self.world.refresh("raw")

    @rule(doc_id=IDS, content=CONTENTS)
    def write(self, doc_id: str, content: Content) -> None:
        self.world.commit((doc_id, content))

    @rule(doc_id=IDS, title=st.sampled_from(["", "title", "another"]))
    def retitle(self, doc_id: str, title: str) -> None:
        if doc_id in self.world.source:
            self.world.commit((doc_id, self.world.source[doc_id]._replace(title=title)))

    @rule(doc_id=IDS)
    def delete(self, doc_id: str) -> None:
        self.world.commit((doc_id, None))

    @rule(old=IDS, new=IDS)
    def rename(self, old: str, new: str) -> None:
        if old in self.world.source and new not in self.world.source and self.world.has_feed:
            self.world.commit((old, None), (new, self.world.source[old]))

    @rule(order=st.permutations("pqrs"), edited=IDS, content=CONTENTS)
    def overwrite(self, order: list[str], edited: str, content: Content) -> None:
        after = {**self.world.source, edited: content}
        self.world.commit(*((doc_id, after[doc_id]) for doc_id in order if doc_id in after))

    @rule(contents=st.dictionaries(IDS, CONTENTS))
    def make_the_source_again(self, contents: dict[str, Content]) -> None:
        if self.world.has_feed:  # without one, nothing proves that a document is gone
            self.world.make_again(contents)
            self.is_stale = False

    @rule()
    def turn_the_feed_on(self) -> None:
        self.is_stale |= not self.world.has_feed
        self.world.has_feed = True

    @rule(table=st.sampled_from(TABLES), n_rows=st.integers(1, 4) | st.none())
    def advance(self, table: str, n_rows: int | None) -> None:
        self.world.advance(table, n_rows)

    @rule(table=st.sampled_from(TABLES))
    def refresh(self, table: str) -> None:
        self.world.refresh(table)

    @rule()
    def replace_the_table(self) -> None:
        self.world.logs["embeddings"].make_again()

    @rule()
    def update(self) -> None:
        self.world.update()

    @rule(splitter=st.sampled_from([1, 2]))
    def change_the_splitter(self, splitter: int) -> None:
        self.is_stale |= splitter != self.world.splitter
        self.world.splitter = splitter

    @rule(model=st.sampled_from(["m1", "m2"]))
    def change_the_model_and_its_namespace(self, model: str) -> None:
        self.is_stale |= model != self.world.model
        self.world.model = model

    @rule(namespace=st.sampled_from(["n1", "n2"]))
    def change_the_namespace(self, namespace: str) -> None:
        self.world.namespace = namespace

    @rule()
    def lose_the_bookmark(self) -> None:
        self.service.last = None

    @rule()
    def let_a_day_pass(self) -> None:
        if self.service.last is not None:
            self.service.last = replace(self.service.last, whole_age_s=WHOLE_EVERY_S)

    @rule()
    def empty_the_index_behind_its_back(self) -> None:
        for name in list(self.service.texts):
            self.service.drop(name)
        for row in self.service.rows.values():  # as `prepare` does, which finds it empty
            row["document_hash"], row["payload_hashes"] = None, [None] * len(row["payload_hashes"])

    @rule()
    def lose_the_state(self) -> None:
        self.service.rows.clear()
        self.service.dead.clear()
        self.service.last = None
        self.damage()

    @rule(doc_id=st.sampled_from("pqrsz"), ordinal=st.integers(0, 6), text=st.sampled_from(["", "x", "a|"]))
    def change_the_index_behind_its_back(self, doc_id: str, ordinal: int, text: str) -> None:
        if doc_id not in self.world.source and not self.world.has_feed:
            return  # nobody could say whose it is
        name = record_id(doc_id, ordinal)
        self.service.put(name, text) if text else self.service.drop(name)
        self.planted.add(name)
        self.damage()

    @rule()
    def write_a_foreign_record(self) -> None:
        self.service.put("theirs", "x")

    @rule(letters=st.sampled_from(["", "a", "bc"]))
    def refuse(self, letters: str) -> None:
        self.service.refuses = letters

    @rule(doc_id=IDS, length=st.none() | st.integers(0, 6))
    def forget(self, doc_id: str, length: int | None) -> None:
        self.dies_at(length, lambda: Task(self.world).forget(doc_id))

    @rule(doc_id=IDS)
    def allow_back(self, doc_id: str) -> None:
        if doc_id in self.world.forgotten:
            self.world.forgotten[doc_id] = False

    @rule(length=st.integers(0, 9), n_window=st.integers(1, 6), update=st.booleans(), passes=st.booleans())
    def sync_and_perhaps_die(self, length: int, n_window: int, update: bool, passes: bool) -> None:
        if update:
            self.world.update()
        self.mend(length)
        before, rehearsal = dict(self.service.texts), self.rehearsal()
        refused = outcome(rehearsal, n_window)
        end = partial(VectorIndexError, "it passes") if passes else CrashError
        self.dies_at(length, lambda: outcome(self.world, n_window), end)
        assert not refused or self.service.texts == before
        # What was there and is to be there is there all the time.
        assert before.keys() & rehearsal.service.texts.keys() <= self.service.texts.keys()
        self.nothing_is_lost_without_proof(before)

    def rehearsal(self) -> World:
        """Give a world to try things in."""
        return deepcopy(self.world)

    def damage(self) -> None:
        self.damaged.add(self.place)

    def mend(self, length: int | None = None) -> None:
        """Take over, or repair, what was changed behind our back; perhaps die meanwhile."""
        if self.place in self.damaged:
            self.dies_at(length, lambda: Task(self.world).correct_state())
            Task(self.world).correct_state()

    def dies_at(self, length: int | None, act: Callable[[], object], end: Callable[[], Exception] = CrashError) -> None:
        self.service.fuse = Fuse(length, end)
        try:
            act()
        except (CrashError, VectorIndexError) as error:
            self.counts["died"] += 1
            if self.service.last is not None and isinstance(error, VectorIndexError):
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
        assert Task(self.world).sync(n_window).form == "incremental"
        assert self.service.n_requests == n_requests

        self.world.commit(*edits.items())
        self.world.update()
        report = Task(self.world).sync(n_window)
        assert report.form == "incremental"
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
