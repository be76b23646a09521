"""What can happen to a source, its tables, an index and its state: the rules of drawn histories."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pipelines.form import WHOLE_EVERY_S
from pipelines.ids import record_id
from tests.pipelines.logs import Content
from tests.pipelines.service import Service
from tests.pipelines.world import TABLES, World

if TYPE_CHECKING:
    from collections.abc import Callable

IDS = st.sampled_from("pqrs")
TEXTS = st.text("abc", max_size=5) | st.sampled_from(["a!", "abcabcabc"])  # blank, refused, and long ones among them
CONTENTS = st.builds(Content, TEXTS, st.sampled_from(["", "title"]))


class Happenings(RuleBasedStateMachine):
    """One world, changed in every way that it can change."""

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

    def damage(self) -> None:
        self.damaged.add(self.place)

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

    @rule(runs_too=st.booleans())
    def lose_the_state(self, runs_too: bool) -> None:
        self.service.rows.clear()
        self.service.dead.clear()
        if runs_too:
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

    @rule(doc_id=IDS)
    def allow_back(self, doc_id: str) -> None:
        if doc_id in self.world.forgotten:
            self.world.forgotten[doc_id] = False
