"""Reconcile finds exactly what was damaged, and a repair leaves nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.errors import IndexDiffers, SyncRefused
from pipelines.lease import Lease
from pipelines.reconcile import Reconciled, reconcile
from pipelines.state_tables import DEAD_LETTER, INDEX_STATE, SYNC_RUNS
from tests.pipelines.scene import KEY, Version, desired, vector

if TYPE_CHECKING:
    from tests.pipelines.scene import Scene

GOOD = Version("good", 1, ("One.", "Two."))
HURT = Version("hurt", 1, ("a", "b", "c", "d"))
GONE = Version("gone", 1, ("Not for long.",))
LATE = Version("late", 2, ("Not synced yet.",))
STRANGER = Version("nobody's", 1, ("Who wrote this?",))


def reconciled(scene: Scene, **changed: Any) -> Reconciled:
    return reconcile(scene.spark, replace(scene.settings, **changed), KEY)


def n_of(found: Reconciled) -> dict[str, int]:
    return {kind: n for kind, n in found.counts.items() if n}


@pytest.mark.long
def test_what_was_damaged_is_found_and_mended_and_a_lost_state_is_made_again(scene: Scene) -> None:
    scene.prepare()
    scene.log(GOOD, HURT, GONE)
    scene.sync()
    scene.log(replace(GONE, version=2, sentences=()))
    scene.sync()
    writes = scene.n_writes()
    assert n_of(reconciled(scene)) == {}

    ids = list(HURT.records())
    upsert = [(f"{HURT.doc_id}#9", "x"), (next(iter(GONE.records())), "y"), (next(iter(STRANGER.records())), "z")]
    with scene.pinecone.Index("docs") as index:
        namespace = scene.settings.namespace
        index.delete(ids=[ids[0]], namespace=namespace)
        index.update(id=ids[1], set_metadata={"title": "another"}, namespace=namespace)
        index.update(id=ids[2], values=vector("quite another").tolist(), namespace=namespace)
        odd = [("theirs", "t"), (f"{'0' * 32}#3", "u")]  # the second has an id like ours, and nothing else
        records = [
            {"id": name, "values": vector(text).tolist(), "metadata": {"doc_id": name[:32]}} for name, text in upsert
        ] + [{"id": name, "values": vector(text).tolist()} for name, text in odd]
        index.upsert(vectors=records, namespace=namespace)
    scene.log(LATE, replace(GOOD, version=2, sentences=("One.",)))
    lines: list[str] = []
    with pytest.raises(IndexDiffers, match=r"^6 records of namespace __default__ are not as index_state says.*repair"):
        reconcile(scene.spark, scene.settings, KEY, lines.append)
    assert lines[0] == "found: 3 orphan, 1 missing, 2 changed, 1 stale, 1 pending, 2 foreign"
    assert f"  missing: {ids[0]} of hurt, it is not there" in lines
    assert f"  changed: {ids[1]} of hurt, metadata differs in title" in lines
    assert len(lines) == 11
    assert scene.n_writes() == writes + Counter(upsert=1, delete=1)  # ours, just now

    with Lease(scene.spark, scene.settings, "a sync"), pytest.raises(SyncRefused, match=r"^run a sync writes to"):
        reconciled(scene, repair=True)
    found = reconciled(scene, repair=True)
    assert found.repair is not None
    assert (found.repair.n_upserted, found.repair.form) == (3 + 1, "whole")
    assert n_of(reconciled(scene)) == {"foreign": 2}
    now = replace(GOOD, version=2, sentences=("One.",))
    assert scene.contents().keys() == {*desired(now, HURT, LATE), *(name for name, _ in odd)}
    assert reconciled(scene, delete_foreign=True).n_foreign_deleted == 2
    assert scene.contents() == desired(now, HURT, LATE)

    # The state is lost, and meanwhile a text changes and a document goes.
    for table in (INDEX_STATE, DEAD_LETTER, SYNC_RUNS):
        scene.spark.sql(f"DELETE FROM {scene.settings.table(table.name)}")
    edited = replace(HURT, version=2, sentences=("a", "b", "changed", "d"))
    scene.log(edited, replace(LATE, version=3, sentences=()))
    assert scene.prepare(adopt=True).n_records == 6
    report = scene.sync(adopt=True)
    assert (report.n_upserted, report.n_deleted, report.n_unchanged) == (1, 1, 4)
    assert scene.contents() == desired(now, edited)
    assert n_of(reconciled(scene)) == {}
