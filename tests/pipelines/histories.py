"""Histories of a world, drawn: whatever happened, once all is read and synced the index is what the source says."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.pipelines.logs import Content
from tests.pipelines.service import CrashError, Fuse
from tests.pipelines.world import TABLES, World

N_HISTORIES = 2_000
IDS = st.sampled_from("pqrs")
TEXTS = st.text("abc", max_size=5) | st.sampled_from(["a!", "abcabcabc"])  # blank, refused, and long ones among them
CONTENTS = st.builds(Content, TEXTS, st.sampled_from(["", "title"]))


class Histories(RuleBasedStateMachine):
    """One world, changed in every way that it can change."""

    counts: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.is_stale = False  # settings changed: only a full refresh makes the log whole again

    @initialize(contents=st.dictionaries(IDS, CONTENTS))
    def begin(self, contents: dict[str, Content]) -> None:
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
        if old in self.world.source and new not in self.world.source:
            self.world.commit((old, None), (new, self.world.source[old]))

    @rule(order=st.permutations("pqrs"), edited=IDS, content=CONTENTS)
    def overwrite(self, order: list[str], edited: str, content: Content) -> None:
        after = {**self.world.source, edited: content}
        self.world.commit(*((doc_id, after[doc_id]) for doc_id in order if doc_id in after))

    @rule(contents=st.dictionaries(IDS, CONTENTS))
    def make_the_source_again(self, contents: dict[str, Content]) -> None:
        self.world.make_again(contents)

    @rule(table=st.sampled_from(TABLES), n_rows=st.integers(1, 4) | st.none())
    def advance(self, table: str, n_rows: int | None) -> None:
        self.world.advance(table, n_rows)

    @rule(table=st.sampled_from(TABLES))
    def refresh(self, table: str) -> None:
        self.world.refresh(table)

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

    @rule()
    def empty_the_index_behind_its_back(self) -> None:
        service = self.world.service
        service.texts.clear()
        for row in service.rows.values():  # as `prepare` does, which finds it empty
            row["document_hash"], row["payload_hashes"] = None, [None] * len(row["payload_hashes"])

    @rule(letters=st.sampled_from(["", "a", "bc"]))
    def refuse(self, letters: str) -> None:
        self.world.service.refuses = letters

    @rule(length=st.integers(0, 9), n_window=st.integers(1, 6), update=st.booleans())
    def sync_and_perhaps_die(self, length: int, n_window: int, update: bool) -> None:
        if update:
            self.world.update()
        service = self.world.service
        before, to_its_end = dict(service.texts), deepcopy(self.world)
        to_its_end.sync(n_window)
        after = to_its_end.service.texts
        service.fuse = Fuse(length)
        try:
            self.world.sync(n_window)
        except CrashError:
            self.counts["died"] += 1
        service.fuse = Fuse(None)
        self.check()
        # What was there and is to be there is there all the time.
        assert before.keys() & after.keys() <= service.texts.keys()
        self.nothing_is_lost_without_proof(before)

    def nothing_is_lost_without_proof(self, before: dict[str, str]) -> None:
        """A document that the source holds, and of which no table has a tombstone, keeps what it had."""
        buried = {row.doc_id for _, row in self.world.logs["embeddings"].rows if row.deleted}
        for name in before.keys() - self.world.service.texts.keys():
            doc_id, ordinal = name.split("#")
            rows = [row for _, row in self.world.logs["embeddings"].rows if row.doc_id == doc_id]
            is_shorter = any(int(ordinal) >= row.n_sentences for row in rows)
            texts = [row.payload for row in rows if row.ordinal == int(ordinal)]
            refused = name in self.world.service.dead or any(text[0] in self.world.service.refuses for text in texts)
            assert doc_id not in self.world.source or doc_id in buried or is_shorter or refused

    @rule(n_window=st.integers(1, 6), retry=st.booleans())
    def settle(self, n_window: int, retry: bool) -> None:
        if self.is_stale:
            self.world.refresh(*TABLES)
            self.is_stale = False
        before = dict(self.world.service.texts)
        self.world.sync(n_window)  # of tables that may be in the middle of a rebuild
        self.nothing_is_lost_without_proof(before)
        self.world.update()
        self.world.sync(n_window, retry=retry)
        service, expected = self.world.service, self.world.expected()
        self.check()
        self.compare(service.texts, {name: text for name, text in expected.items() if name not in service.dead})
        assert service.dead.keys() <= expected.keys()
        n_requests = service.n_requests
        self.world.sync(n_window)
        assert service.n_requests == n_requests
        self.counts["settled"] += 1

    def check(self) -> None:
        self.world.service.check()

    def compare(self, texts: dict[str, str], expected: dict[str, str]) -> None:
        assert texts == expected

    def teardown(self) -> None:
        self.world.service.refuses = ""
        self.settle(3, retry=True)
        assert self.world.service.dead == {}


def run(machine: type[Histories] = Histories) -> None:
    Histories.counts.clear()
    chosen = settings(
        max_examples=N_HISTORIES,
        stateful_step_count=14,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],  # to make a failing history small takes minutes
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)
