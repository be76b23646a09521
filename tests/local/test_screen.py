"""What a person sees where there is no terminal: a log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from local.figures import Figures
from local.screen import Screen
from pipelines.tables import PIPELINE_TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = re.compile(r" +\d+\.\d s")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return Screen()


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Lines so far, ` 1.2 s` as ` ~`."""
    return [SECONDS.sub(" ~", line) for line in capsys.readouterr().out.splitlines()]


def test_a_stage_is_one_line_with_its_seconds_and_its_last_note(
    screen: Screen, capsys: pytest.CaptureFixture[str]
) -> None:
    with screen.watch():
        with screen.stage("source", "Source: articles.csv"):
            screen.note("reading")
            screen.note("3 new")
            assert printed(capsys) == []  # it is printed once, when it has ended
        with screen.stage("sync", "Write to the index"):
            pass
    assert printed(capsys) == ["✓ Source: articles.csv ~  3 new", "✓ Write to the index ~"]
    assert list(screen.seconds) == ["source", "sync"]


def test_a_failed_stage_shows_a_cross_and_lets_the_error_through(
    screen: Screen, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        with screen.watch(), screen.stage("sync", "Write to the index"):
            screen.note("40 of 100 records")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert printed(capsys) == ["✗ Write to the index ~  40 of 100 records"]
    assert "sync" in screen.seconds


def test_flows_stand_below_their_stage_in_the_order_the_data_takes(
    screen: Screen, capsys: pytest.CaptureFixture[str]
) -> None:
    with screen.watch(), screen.stage("pipeline", "Pipeline update"):
        screen.state("embeddings", "queued")  # Spark names them in any order
        for table, state in (("raw", "running"), ("raw", "completed"), ("documents", "running")):
            screen.state(table, state)
        screen.rows("raw", 1200)
        for table, state in (("documents", "failed"), ("sentences", "skipped")):
            screen.state(table, state)
    lines = printed(capsys)
    assert lines[0] == "✓ Pipeline update ~"
    assert [line[1:].split()[0] for line in lines[1:]] == list(PIPELINE_TABLES)
    assert re.fullmatch(r"✓   raw ~  1,200 rows(, [\d,]+ a second)?", lines[1])
    assert lines[2:] == [
        "✗   documents ~  failed",
        "    documents_quarantine ~  waits",
        "✗   sentences ~  skipped",
        "    embeddings ~  waits",
    ]


def test_a_flow_that_read_nothing_says_so_even_if_it_reports_no_rows(
    screen: Screen, capsys: pytest.CaptureFixture[str]
) -> None:
    with screen.watch(), screen.stage("pipeline", "Pipeline update"):
        for table in ("raw", "sentences"):
            screen.state(table, "running")
            screen.state(table, "completed")
        screen.rows("sentences", 0)
    lines = printed(capsys)
    assert lines[1] == "✓   raw ~  nothing new"
    assert lines[4] == "✓   sentences ~  nothing new"


def test_a_second_update_has_flows_of_its_own(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    with screen.watch():
        for state in ("completed", "failed"):
            with screen.stage("pipeline", "Pipeline update"):
                screen.state("raw", "running")
                screen.state("raw", state)
    assert [line for line in printed(capsys) if " raw" in line] == ["✓   raw ~  nothing new", "✗   raw ~  failed"]


def test_a_long_line_stays_one_line_in_a_log(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    with screen.watch(), screen.stage("source", "Source: " + "deep/" * 60):
        screen.note("nothing new")
    assert len(printed(capsys)) == 1


def some_figures(advice: tuple[str, ...] = (), n_refused: Mapping[str, int] | None = None) -> Figures:
    return Figures(
        n_read=1234, n_kept=1000, n_withdrawn=232, n_quarantined=2, n_embedded=5678, n_served=12,
        n_upserted=5000, n_deleted=40,
        n_unchanged=300, n_pending=1, n_requests=6, n_checks=4, n_documents=999, n_sentences=6000, n_records=5300,
        n_refused=n_refused or {},
        n_rows={"raw": 1234, "documents": 1232, "documents_quarantine": 2, "sentences": 6000, "embeddings": 6001},
        source={}, seconds={"spark": 2.04, "pipeline": 10.0, "pipeline.raw": 3.0}, advice=advice,
    )  # fmt: skip


def test_the_last_screen_tells_rows_records_and_seconds(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    screen.summary(some_figures(n_refused={"id_is_present": 2, "version_is_present": 0}))
    lines = [re.sub(r" {2,}", " | ", line.strip()) for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines == [
        "This run, table by table",
        "table | rows | of these",
        "raw | 1,234 | 1,000 kept, 232 withdrew, 2 quarantined",
        "documents | 1,232",
        "documents_quarantine | 2 | 2 id_is_present",
        "sentences | 6,000",
        "embeddings | 6,001 | 5,678 by the model, 12 known",
        "Index",
        "records | 5,300 | 999 documents, 1 pending",
        "this run | 5,000 upserts, 40 deletes, 300 unchanged | 6 requests, 4 checks",
        "Seconds",
        "spark | pipeline | all",
        "2.0 | 10.0 | 12.0",  # a flow's seconds are within its stage's
    ]


def test_brackets_of_a_path_or_an_id_are_shown_as_they_are(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    with screen.stage("source", "Source: /notes [/draft]"):
        screen.note("[b]1 new")
    screen.summary(some_figures(advice=("[/x] waits",)))
    lines = printed(capsys)
    assert "/notes [/draft]" in lines[0]
    assert lines[0].endswith("[b]1 new")
    assert lines[-1] == "! [/x] waits"


def test_advice_comes_last_a_line_each(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    screen.summary(some_figures(advice=("settings changed: full refresh", "2 ids stand twice")))
    assert printed(capsys)[-2:] == ["! settings changed: full refresh", "! 2 ids stand twice"]
