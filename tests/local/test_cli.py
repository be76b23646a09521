"""The command line, up to where Spark would start."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import pytest

from local import REPOSITORY, commands
from local.cli import _chosen, _parser, main
from local.commands import Context
from local.home import Home
from local.options import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS = ("run", "serve", "plan", "sync", "reconcile", "forget", "health", "search", "check-bundle", "demo", "smoke")
WITHOUT_HOME = {"smoke", "check-bundle"}  # what runs elsewhere


@pytest.fixture(autouse=True)
def no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark is not to start here; nothing on the way turns this error into a line."""

    def start(_home: Home) -> NoReturn:
        raise AssertionError("Spark would start")

    monkeypatch.setattr(commands, "spark_session", start)
    monkeypatch.delenv("PINECONE_API_KEY", raising=False)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Give the one line of a command that must fail."""
    assert main([str(argument) for argument in arguments]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    return lines[0]


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert tuple(re.findall(r"^ {4}([\w-]+)", capsys.readouterr().out, re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_most_a_home(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert ("--home DIR" in capsys.readouterr().out) == (command not in WITHOUT_HOME)


def test_help_is_quick_it_loads_neither_spark_nor_the_model_nor_the_client() -> None:
    code = """
import sys
from local.cli import main
try:
    main(["run", "--help"])
except SystemExit:
    pass
print("loaded:", *sorted({"pyspark", "torch", "pinecone", "databricks"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)  # noqa: S603  # ours
    assert done.stdout.splitlines()[-1].split() == ["loaded:"]


@pytest.mark.parametrize("arguments", [[], ["rum"], ["search"], ["serve", "--pinecone"]])
def test_a_command_that_does_not_parse_ends_with_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m local")


@pytest.mark.parametrize(
    ("arguments", "tables"),
    [([], None), (["--full-refresh"], []), (["--full-refresh", "raw", "documents"], ["raw", "documents"])],
)
def test_full_refresh_tells_no_table_from_all_tables(arguments: list[str], tables: list[str] | None) -> None:
    assert _parser().parse_args(["run", "texts", *arguments]).full_refresh == tables


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (["sync"], {}),
        (["run", "--adopt", "--retry-dead-letters"], {"adopt": "true", "retry_dead_letters": "true"}),
        (
            ["plan", "--max-delete-ratio", "0.5", "--max-dead-letter-ratio=0"],
            {"max_delete_ratio": "0.5", "max_dead_letter_ratio": "0"},
        ),
        (["reconcile", "--repair", "--delete-foreign"], {"repair": "true", "delete_foreign": "true"}),
        (["forget", "True"], {"forget": "True"}),
        (["forget", "a b", "--undo"], {"allow_back": "a b"}),
    ],
)
def test_what_is_for_one_run_has_a_flag_of_its_own(arguments: list[str], chosen: dict[str, str]) -> None:
    assert _chosen(_parser().parse_args(arguments)) == chosen


def test_a_home_that_cannot_be_used_is_an_error_of_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert "choose another folder" in refused(capsys, "plan", "--home", tmp_path / "file")


@pytest.mark.parametrize("command", ["run", "plan", "sync", "demo"])
def test_an_unknown_setting_is_named_with_the_one_that_was_meant(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, command, "--home", tmp_path, "--set", "nmespace=x")
    assert line == "error: unknown setting nmespace; did you mean namespace?"


def test_a_setting_that_does_not_read_is_found_before_spark_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, "run", "--home", tmp_path, "--set", "max_delete_ratio=most")
    assert line.startswith("error: setting max_delete_ratio is 'most'; allowed is")


def test_a_setting_without_a_value_is_found_before_the_home_is_locked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Home.at(tmp_path).lock():
        assert "write --set namespace=VALUE" in refused(capsys, "sync", "--home", tmp_path, "--set", "namespace")


@pytest.mark.parametrize("key", [None, ""])
@pytest.mark.parametrize("command", [["plan"], ["demo"], ["search", "what?"]])
def test_the_real_service_needs_a_key(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    key: str | None,
) -> None:
    if key is not None:
        monkeypatch.setenv("PINECONE_API_KEY", key)
    line = refused(capsys, *command, "--pinecone", "--home", tmp_path)
    assert line == "error: --pinecone needs a key: set the environment variable PINECONE_API_KEY"


def test_a_home_in_use_is_an_error_of_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Home.at(tmp_path).lock():
        assert "another run is using" in refused(capsys, "run", "--home", tmp_path)


def test_a_folder_that_is_not_there_for_the_figures_is_found_before_spark_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--home", str(tmp_path), "--json", str(tmp_path / "out" / "figures.json")]) == 1
    assert "there is no folder" in capsys.readouterr().err
    assert not (tmp_path / "spark").exists()


def test_the_next_command_is_told_with_home_and_settings_but_for_what_the_home_remembers(tmp_path: Path) -> None:
    chosen = {"id_column": "key", "pinecone_host": "http://localhost:1", "namespace": "it's"}
    told = Context(Home.at(tmp_path), chosen, pinecone=False).command("plan")
    options = _parser().parse_args(shlex.split(told)[3:])
    assert options.home == str(tmp_path)
    assert settings_of(options.set) == {"pinecone_host": "http://localhost:1", "namespace": "it's"}


def test_an_unknown_table_to_refresh_is_found_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--full-refresh", "sentence"])
    assert "raw, documents, documents_quarantine, sentences, embeddings" in capsys.readouterr().err.replace("'", "")


def test_an_interrupt_is_one_line_and_a_status_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def interrupted(_home: Home) -> Iterator[None]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(commands, "spark_session", interrupted)
    assert main(["run", "--home", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "stopped; the next run goes on from here\n"
    with Home.at(tmp_path).lock():  # let go
        assert not Home.at(tmp_path).port_file.exists()


def test_a_fault_of_ours_keeps_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="Spark would start"):
        main(["plan", "--home", str(tmp_path)])
