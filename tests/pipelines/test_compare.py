"""Both forms give the same plan over real tables, whatever brought about the change; drawn histories say it of rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines import compare as compare_module
from pipelines.compare import Comparison, compare
from pipelines.snapshot import Snapshot
from pipelines.state import State
from pipelines.state_tables import SYNC_RUNS
from tests.pipelines.scene import Version

if TYPE_CHECKING:
    from tests.pipelines.scene import Scene

FIRST = tuple(Version(f"d{i}", 1, ("One.", f"Two of {i}.")) for i in range(4))


def found(scene: Scene) -> Comparison:
    state = State(scene.spark, scene.settings)
    return compare(scene.spark, scene.settings, state, Snapshot.take(scene.spark, scene.settings))


def differing(comparison: Comparison) -> list[tuple[str, str]]:
    assert comparison.changes is not None
    rows = comparison.changes.where("status <> 'same'").select("doc_id", "status").collect()
    return sorted((row.doc_id, row.status) for row in rows)


@pytest.mark.long
def test_both_forms_find_the_same(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.prepare()
    scene.log(*FIRST)
    assert scene.sync().form == "whole"

    # Edited; gone from the source without a word; new; and rows that say nothing new.
    scene.log(replace(FIRST[0], version=2, sentences=("Edited.",)), Version("new", 1, ("New.",)), FIRST[2])
    scene.source_holds({"d0", "d2", "d3", "new"})
    some = found(scene)
    assert (some.form, len(differing(some))) == ("incremental", 3)
    # A refresh takes rows away; one is not there yet again.
    table = scene.settings.table("embeddings")
    scene.spark.sql(f"TRUNCATE TABLE {table}")
    scene.log(*FIRST[1:], Version("new", 1, ("New.",)))
    scene.source_holds({"d0", "d2", "d3", "new"})
    after = found(scene)
    assert (after.form, len(differing(after))) == ("incremental", 3)

    monkeypatch.setattr(compare_module, "why_whole", lambda *_: "for comparison")
    whole = found(scene)
    assert (whole.form, whole.reason) == ("whole", "for comparison")
    assert differing(after) == differing(whole)
    assert after.summary == whole.summary
    monkeypatch.undo()

    # Where the changes cannot be named, all is compared.
    monkeypatch.setattr(compare_module, "MAX_CHANGED_DOCUMENTS", 2)
    assert found(scene).reason == "more than 2 documents changed"
    scene.spark.sql(f"UPDATE {scene.settings.table(SYNC_RUNS.name)} SET table_version = 99")
    assert found(scene).reason.startswith("the changes since the last sync cannot be read: DELTA_")
