"""The folder a run keeps everything in, and its lock between processes."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from local import REPOSITORY
from local.home import DEFAULT_HOME, Home
from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOLD = """
import sys
from local.home import Home
with Home.at(sys.argv[1]).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(home: Home) -> Iterator[subprocess.Popen[str]]:
    """Hold a home's lock from another process while the block runs."""
    command = [sys.executable, "-c", _HOLD, str(home.root)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=pipe, stdout=pipe, text=True) as holder:  # noqa: S603  # ours
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder
        finally:
            holder.kill()


def test_a_second_process_gets_one_line_that_names_the_first(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    with held_elsewhere(home) as holder:
        with pytest.raises(SettingsError) as error, home.lock():
            pass
        assert str(error.value) == (
            f"another run is using {tmp_path} (process {holder.pid}): wait for it, or choose another --home"
        )


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    with held_elsewhere(home) as holder:
        holder.kill()
        holder.wait()
        with home.lock():
            assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_a_home_can_be_held_again_after_it_was_let_go(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    for _ in range(2):
        with home.lock(), pytest.raises(SettingsError, match=f"process {os.getpid()}"), home.lock():
            pass


def test_two_homes_are_held_at_once_and_share_no_path(tmp_path: Path) -> None:
    one, other = Home.at(tmp_path / "one"), Home.at(tmp_path / "other")
    with held_elsewhere(one), other.lock():
        pass
    names = ("warehouse", "checkpoints", "spark", "index", "port_file", "source_file")
    assert all(getattr(one, name).is_relative_to(one.root) for name in names)
    assert len({getattr(home, name) for home in (one, other) for name in names}) == 2 * len(names)


def test_a_home_that_is_made_is_nothing_to_git_and_a_folder_that_was_there_stays_as_it_is(tmp_path: Path) -> None:
    assert (Home.at(tmp_path / "new").root / ".gitignore").read_text(encoding="ascii") == "*\n"
    Home.at(tmp_path)
    assert not (tmp_path / ".gitignore").exists()


def test_a_home_is_made_with_its_parents_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Home.at("deep/down").root == tmp_path / "deep" / "down"
    assert Home.at(tmp_path / "deep/down") == Home.at("deep/../deep/down")


def test_the_default_home_lies_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Home.at(DEFAULT_HOME).is_default
    assert not Home.at("elsewhere").is_default


def test_a_tilde_is_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Home.at("~/kept").root == tmp_path / "kept"


def test_a_file_where_the_home_should_be_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below"):
        with pytest.raises(SettingsError, match=r"^--home .*file.* cannot be used \(.+\): choose another folder$"):
            Home.at(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SettingsError, match=r"^--home .* cannot be written: choose another folder$"):
        Home.at(tmp_path)


def test_the_command_it_tells_is_one_that_a_shell_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert Home.at(DEFAULT_HOME).command("run") == ".venv/bin/python -m local run"
    home = Home.at(tmp_path / "my notes")
    assert shlex.split(home.command("search", "what's new?"))[3:] == [
        "search",
        "what's new?",
        "--home",
        str(home.root),
    ]
