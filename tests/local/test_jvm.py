"""The archive of classes: who reads it, who writes it, whose it is; and what lies on the class path."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark import SparkContext

from local import jvm
from local.jvm import end_jvm, java_options


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache, and a Java that has a release to tell."""
    cache, java = tmp_path / "cache", tmp_path / "java"
    for folder in (cache, java):
        folder.mkdir()
    (java / "release").write_text('JAVA_VERSION="21.0.8"\n')
    monkeypatch.setattr(jvm, "_CACHE", cache)
    monkeypatch.setenv("JAVA_HOME", str(java))
    return cache


def archive_named(option: str) -> Path:
    """Give the path after an option that must be there."""
    found = [
        word.partition("=")[2]
        for word in shlex.split(java_options(for_minutes=False))
        if word.startswith(f"-XX:{option}=")
    ]
    assert len(found) == 1, java_options(for_minutes=False)
    return Path(found[0])


class Jvm:
    """A process that ends as a JVM does: it waits for its standard input, and writes its archive last."""

    def __init__(self, draft: Path | None) -> None:
        code = "import pathlib, sys; sys.stdin.read(); [pathlib.Path(n).write_text('classes') for n in sys.argv[1:]]"
        command = [sys.executable, "-c", code, *([str(draft)] if draft else [])]
        self.proc = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603  # ours
        self.n_shutdowns = 0

    def shutdown(self) -> None:
        self.n_shutdowns += 1


def end(monkeypatch: pytest.MonkeyPatch, draft: Path | None) -> Jvm:
    """Run a JVM that leaves a draft, and end it."""
    running = Jvm(draft)
    for name, value in (("_gateway", running), ("_jvm", object())):
        monkeypatch.setattr(SparkContext, name, value)
    end_jvm()
    return running


def test_the_first_run_writes_the_archive_and_later_ones_read_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = archive_named("ArchiveClassesAtExit")
    assert draft.name.endswith(f".{os.getpid()}")  # two first runs at once write two drafts
    end(monkeypatch, draft)
    archive = archive_named("SharedArchiveFile")
    assert archive.read_text() == "classes"
    assert list(cache.iterdir()) == [archive]
    assert "ArchiveClassesAtExit" not in java_options(for_minutes=False)


def test_a_session_may_leave_the_archive_to_others(cache: Path) -> None:
    assert "ArchiveClassesAtExit" in java_options(for_minutes=False)
    assert "ArchiveClassesAtExit" not in java_options(for_minutes=True)
    assert list(cache.iterdir()) == []


def test_a_jvm_is_waited_for_and_forgotten_when_it_ends(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = end(monkeypatch, None)
    assert (running.n_shutdowns, running.proc.returncode) == (1, 0)
    assert SparkContext._gateway is None
    end_jvm()  # there is none any more
    assert running.n_shutdowns == 1
    assert list(cache.iterdir()) == []  # no draft, no archive


def test_drafts_of_killed_runs_go_when_one_run_has_written_the_archive(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = archive_named("ArchiveClassesAtExit")
    for leftover in (draft.with_suffix(".1"), cache / "unrelated.1"):
        leftover.touch()
    end(monkeypatch, draft)
    assert {file.name for file in cache.iterdir()} == {archive_named("SharedArchiveFile").name, "unrelated.1"}


@pytest.mark.usefixtures("cache")
def test_another_java_or_another_delta_gets_an_archive_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {archive_named("ArchiveClassesAtExit").stem}
    (Path(os.environ["JAVA_HOME"]) / "release").write_text('JAVA_VERSION="21.0.9"\n')
    names.add(archive_named("ArchiveClassesAtExit").stem)
    monkeypatch.setattr(jvm, "DELTA_PACKAGE", "io.delta:delta-spark_4.2_2.13:9.9.9")
    names.add(archive_named("ArchiveClassesAtExit").stem)
    assert len(names) == 3


@pytest.mark.usefixtures("cache")
def test_a_java_without_a_release_file_serves_too() -> None:
    (Path(os.environ["JAVA_HOME"]) / "release").unlink()
    assert re.fullmatch(r"classes-[0-9a-f]{8}", archive_named("ArchiveClassesAtExit").stem)


def test_a_cache_whose_path_has_a_space_stays_one_option(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spaced = cache / "with a space"
    monkeypatch.setattr(jvm, "_CACHE", spaced)
    assert archive_named("ArchiveClassesAtExit").parent == spaced
