"""What forbids the incremental form, each reason alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipelines.form import WHOLE_EVERY_S, Holding, LastRun, why_whole
from pipelines.settings import Settings
from pipelines.snapshot import Snapshot

SETTINGS = Settings(source_table="a.b")
SNAPSHOT = Snapshot("table", 8, "source", 4, "recipe")
LAST = LastRun("succeeded", "table", 7, "source", 4, 0, "recipe", 9, n_pending=0, n_tied=0, whole_age_s=60.0)
HELD = Holding(n_documents=9, n_live=9, n_room=9, n_known=9, n_unknown=0, models=("m",))


def test_after_a_good_sync_that_left_nothing_open_nothing_forbids_it() -> None:
    assert why_whole(LAST, SNAPSHOT, HELD, SETTINGS) is None
    assert why_whole(replace(LAST, outcome="partial"), SNAPSHOT, HELD, SETTINGS) is None


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ({"outcome": "failed"}, "the last sync was not a good one: failed"),
        ({"outcome": "refused"}, "the last sync was not a good one: refused"),
        ({"recipe": "older"}, "settings changed since the last sync"),
        ({"recipe": None}, "settings changed since the last sync"),
        ({"table_id": "before"}, "a table was made again since the last sync"),
        ({"source_table_id": "before"}, "a table was made again since the last sync"),
        ({"n_documents": 8}, "index_state is not as the last sync left it"),
        ({"n_pending": 2, "n_tied": 1}, "the last sync left 3 documents open"),
        ({"whole_age_s": WHOLE_EVERY_S}, "a day since the last whole one"),
        ({"whole_age_s": None}, "a day since the last whole one"),
    ],
)
def test_what_the_last_sync_left_may_forbid_it(last: dict[str, Any], reason: str) -> None:
    assert why_whole(replace(LAST, **last), SNAPSHOT, HELD, SETTINGS) == reason


def test_so_do_a_first_sync_what_is_not_known_and_a_wish_to_try_again() -> None:
    assert why_whole(None, SNAPSHOT, HELD, SETTINGS) == "the first sync of this namespace"
    unknown = replace(HELD, n_unknown=2)
    assert why_whole(LAST, SNAPSHOT, unknown, SETTINGS) == "of 2 documents it is not known what the index holds"
    again = replace(SETTINGS, retry_dead_letters=True)
    assert why_whole(LAST, SNAPSHOT, HELD, again) == "what was refused is to be sent again"
