"""The sync, through the official SDK, against a server: after each one the index holds what the winners say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from local.index_server.faults import Fault
from pipelines.errors import SyncRefused, TooManyRefused, VectorIndexError
from pipelines.guard import MIN_GUARDED_RECORDS
from pipelines.recipe import documents_recipe
from pipelines.report import SyncReport
from pipelines.settings import Settings
from pipelines.sync import _check_refused
from tests.pipelines.scene import KEY, NOON, Version, desired

if TYPE_CHECKING:
    from local.home import Home
    from tests.pipelines.scene import Scene

STAYS = Version("stays", 1, ("It stays.", "As it is.", "For good."))
EDITED = Version("edited", 1, ("One.", "Two.", "Three."))
DELETED = Version("deleted", 1, ("Gone soon.", "Very soon."))
SHORT = Version("shortened", 1, ("a", "b", "c", "d"))
RETITLED = Version("retitled", 1, ("Its text.", "Never changes."))
FIRST = (STAYS, EDITED, DELETED, SHORT, RETITLED)

EDITED_2 = replace(EDITED, version=2, sentences=("One.", "Changed.", "Three."))
SHORT_2 = replace(SHORT, version=2, sentences=("a", "b"))
RETITLED_2 = replace(RETITLED, version=2, title="another title")
SECOND = (STAYS, EDITED_2, SHORT_2, RETITLED_2)

EDITED_3 = replace(EDITED, version=3)
STAYS_2 = replace(STAYS, version=2, sentences=("It stays.", "Half of it is not here yet."))
RETITLED_3 = replace(RETITLED, version=3, sentences=("Split in another way.",))
THIRD = (STAYS, EDITED_3, RETITLED_2)

NAMESPACE = """it's a "name\\space" of {odd} ${characters}"""


def moved(report: SyncReport) -> tuple[int, int, int, int]:
    return report.n_changed, report.n_upserted, report.n_deleted, report.n_unchanged


def n_commits(scene: Scene, home: Home) -> int:
    """Count the commits of all tables, those that appeared meanwhile included."""
    return len(list(home.warehouse.glob(f"{scene.settings.schema}.db/*/_delta_log/*.json")))


def test_a_history_moves_only_what_changed(scene: Scene, home: Home) -> None:
    scene.prepare()
    scene.log(*FIRST)
    assert moved(scene.sync()) == (5, 14, 0, 0)
    assert scene.contents() == desired(*FIRST)

    # A refresh brings every row once more.
    scene.log(*FIRST)
    state, writes = scene.state(), scene.n_writes()
    report = scene.sync()
    assert moved(report) == (0, 0, 0, 14)
    assert (report.n_requests, report.n_checks, report.n_records) == (0, 0, 14)
    assert scene.n_writes() == writes
    assert scene.state() == state

    # One sentence edited, a tail of two cut off, a title changed, a document of two sentences deleted.
    scene.log(EDITED_2, SHORT_2, RETITLED_2, replace(DELETED, version=2, sentences=()))
    before = n_commits(scene, home)
    assert before > 7  # of four tables
    expected = moved(dry := scene.sync(dry_run=True))
    assert expected == (4, 1 + 0 + 2, 2 + 2, 2 + 2 + 3)
    assert (dry.n_requests, dry.n_records) == (0, 10)
    assert n_commits(scene, home) == before
    assert (scene.state(), scene.n_writes()) == (state, writes)
    assert moved(scene.sync()) == expected
    assert scene.contents() == desired(*SECOND)

    # The old text again; a version that lacks a row; one of another recipe; one gone without a word.
    scene.log(EDITED_3, replace(RETITLED_3, recipe=f"{documents_recipe(scene.settings)}/another splitter"))
    scene.log(STAYS_2, without=list(STAYS_2.records())[1:])
    scene.source_holds({"edited", "retitled", "stays"})
    report = scene.sync(source_mode="appends", dry_run=True)
    assert (report.n_deleted, report.n_pending) == (0, 4)  # versions of another scale: not one is believed
    report = scene.sync()
    assert moved(report) == (2, 1, 2, 2)
    assert report.advice == [
        "1 documents wait: settings changed, run a full refresh",
        "1 documents wait for rows that are not there yet: run the pipeline",
    ]
    assert scene.contents() == desired(*THIRD)
    assert report.n_records == len(scene.contents())

    # Another namespace of the same index, at its own pace.
    state = scene.state()
    elsewhere = replace(scene, settings=replace(scene.settings, namespace=NAMESPACE))
    assert moved(elsewhere.sync()) == (3, 3, 0, 0)  # that two are deleted is noted, and needs no request
    assert elsewhere.contents() == desired(EDITED_3)
    assert elsewhere.state().keys() == {"edited", "deleted", "shortened"}
    assert (scene.state(), scene.contents()) == (state, desired(*THIRD))

    runs = scene.runs()
    assert [row.outcome for row in runs] == ["succeeded"] * 5
    assert KEY not in repr(runs)


def test_a_refused_sync_changes_nothing_and_says_so(scene: Scene) -> None:
    large = Version("large", 1, tuple(f"Sentence {i}." for i in range(MIN_GUARDED_RECORDS - 1)))
    scene.prepare()
    scene.log(STAYS, large)
    scene.sync()
    state, writes = scene.state(), scene.n_writes()

    scene.log(replace(large, version=2, sentences=()))
    with pytest.raises(SyncRefused) as caught:
        scene.sync()
    message = (
        "this sync would delete 99 of 102 records (97%), allowed are 20%: "
        "if that is right, run once with max_delete_ratio=0.98, a parameter of the job, locally "
        "--set max_delete_ratio=0.98"
    )
    assert str(caught.value) == message
    assert scene.state() == state
    assert (scene.n_writes(), scene.contents()) == (writes, desired(STAYS, large))
    last = scene.runs()[-1]
    assert (last.outcome, last.error, last.n_requests, last.n_upserted) == ("refused", message, 0, 0)

    # A wrong key fails at the first request; then nothing is known of what it was about to touch, and nothing is lost.
    with pytest.raises(VectorIndexError) as denied:
        scene.sync(api_key="not-" + KEY, max_delete_ratio=0.98)
    assert scene.runs()[-1].error == str(denied.value)
    assert scene.runs()[-1].outcome == "failed"
    assert KEY not in repr(scene.runs())
    assert scene.state()["large"].payload_hashes == [None] * 99
    assert moved(scene.sync(max_delete_ratio=0.98))[2] == 99
    assert scene.contents() == desired(STAYS)


@pytest.mark.long
def test_what_the_index_refuses_is_kept_apart_until_it_takes_it(scene: Scene) -> None:
    scene.prepare()
    scene.log(STAYS, DELETED)
    # Of one request with five records: it, its first half, and the one record of that half.
    scene.server.set_faults(Fault("upsert", status=400, n_times=3))
    with pytest.raises(TooManyRefused, match=r"^the index refused 1 records for good, 20\.0% of those sent: .*1\.0%"):
        scene.sync()
    run = scene.runs()[-1]
    assert (run.outcome, run.n_upserted, run.n_refused, run.n_requests, run.error) == ("partial", 4, 1, 5, None)
    (letter,) = scene.dead_letters()
    everything = desired(STAYS, DELETED)
    assert (letter.status, letter.n_attempts) == (400, 1)
    assert "a fault that was asked for" in letter.reason
    assert scene.contents() == {name: record for name, record in everything.items() if name != letter.id}

    report = scene.sync()  # it is not sent again by itself
    assert (report.outcome, report.n_requests, report.n_records) == ("succeeded", 0, 4)
    assert moved(scene.sync(retry_dead_letters=True))[1] == 1
    assert scene.dead_letters() == []
    assert scene.contents() == everything


def test_a_share_of_refused_records_that_is_allowed_is_advice() -> None:
    report = SyncReport("run", "docs", "all", NOON, 0, n_upserted=99, n_refused=1)
    _check_refused(report, Settings(source_table="a.b"))
    assert len(report.advice) == 1
    assert report.advice[0].startswith(
        "the index refused 1 records for good, 1.0% of those sent: table dead_letter has"
    )
    report.n_refused = 2
    with pytest.raises(TooManyRefused, match=r"Allowed are 1\.0%, setting max_dead_letter_ratio$"):
        _check_refused(report, Settings(source_table="a.b"))
