"""From flags, environment and memory to settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.home import Home
from local.options import Source, parameters, settings_of
from pipelines.errors import SettingsError, SourceError
from pipelines.settings import ENVIRONMENT_PREFIX, load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCAL_URL = "http://127.0.0.1:1"
DOCUMENTATION = Source(None, {})


@pytest.fixture
def fresh(tmp_path: Path) -> Home:
    return Home.at(tmp_path / "home")


def test_a_flag_is_cut_at_its_first_equals_sign() -> None:
    assert settings_of(["id_column=key", " namespace =a=b", "model_path="]) == {
        "id_column": "key",
        "namespace": "a=b",
        "model_path": "",
    }


def test_a_later_flag_of_the_same_name_wins() -> None:
    assert settings_of(["id_column=one", "id_column=two"]) == {"id_column": "two"}


def test_a_flag_without_a_value_says_how_to_write_it() -> None:
    with pytest.raises(SettingsError, match=r"^--set id_column has no value: write --set id_column=VALUE$"):
        settings_of(["id_column"])


@pytest.mark.parametrize(
    ("flags", "environment", "remembered", "winner"),
    [
        ({"id_column": "flag"}, "environment", {"id_column": "memory"}, "flag"),
        ({}, "environment", {"id_column": "memory"}, "environment"),
        ({}, None, {"id_column": "memory"}, "memory"),
        ({}, None, {}, "id"),
    ],
)
def test_flags_go_before_the_environment_and_that_before_what_the_home_remembers(
    monkeypatch: pytest.MonkeyPatch,
    flags: Mapping[str, str],
    environment: str | None,
    remembered: Mapping[str, str],
    winner: str,
) -> None:
    if environment is not None:
        monkeypatch.setenv(f"{ENVIRONMENT_PREFIX}ID_COLUMN", environment)
    chosen = parameters(Source(Path("articles.csv"), remembered), flags, LOCAL_URL)
    assert load_settings(chosen).id_column == winner


def test_the_local_index_has_a_name_and_so_a_state_of_its_own() -> None:
    here = load_settings(parameters(DOCUMENTATION, {}, LOCAL_URL))
    there = load_settings(parameters(DOCUMENTATION, {}, None))
    assert (here.index_name, here.pinecone_host) == ("local", LOCAL_URL)
    assert (there.index_name, there.pinecone_host) == ("streaming-embeddings", "")
    assert here.source_table == there.source_table  # both are filled from the same tables


def test_titles_are_carried_along_where_the_loader_makes_them(tmp_path: Path) -> None:
    folder, table, file = tmp_path / "texts", tmp_path / "delta", tmp_path / "articles.csv"
    folder.mkdir()
    (table / "_delta_log").mkdir(parents=True)
    file.touch()
    carried = {
        path: load_settings(parameters(Source(path, {}), {}, LOCAL_URL)).metadata_columns
        for path in (None, folder, table, file)
    }
    assert carried == {None: ("title",), folder: ("title",), table: (), file: ()}


def test_a_home_that_mirrored_nothing_yet_takes_the_documentation(fresh: Home) -> None:
    source = Source.of(fresh, None, {"namespace": "n"})
    assert source == DOCUMENTATION
    assert str(source) == "Python's documentation"


def test_what_was_mirrored_is_remembered_with_its_columns_and_nothing_else(fresh: Home, tmp_path: Path) -> None:
    file = tmp_path / "articles.csv"
    file.touch()
    Source.of(fresh, str(file), {"id_column": "key", "namespace": "n", "max_delete_ratio": "1"}).remember(fresh)
    assert Source.of(fresh, None, {}) == Source(file, {"id_column": "key"})
    assert Source.of(fresh, None, {"text_column": "body"}) == Source(file, {"id_column": "key", "text_column": "body"})
    assert Source.of(fresh, None, {"id_column": "other"}).columns == {"id_column": "other"}


def test_columns_belong_to_their_source_and_do_not_pass_to_the_next_one(fresh: Home, tmp_path: Path) -> None:
    Source(tmp_path / "old.csv", {"id_column": "key"}).remember(fresh)
    (tmp_path / "new.csv").touch()
    assert Source.of(fresh, str(tmp_path / "new.csv"), {}).columns == {}


def test_a_path_that_leads_nowhere_is_an_error(fresh: Home, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nothing\.csv does not exist: name a file or a folder"):
        Source.of(fresh, str(tmp_path / "nothing.csv"), {})


def test_it_is_remembered_whole_or_not_at_all(fresh: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Source(tmp_path, {}).remember(fresh)

    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match=r"^$"):
        Source(None, {}).remember(fresh)
    assert Source.of(fresh, None, {}) == Source(tmp_path, {})


def test_the_documentation_can_be_remembered_too(fresh: Home, tmp_path: Path) -> None:
    Source(tmp_path / "old.csv", {}).remember(fresh)
    DOCUMENTATION.remember(fresh)
    assert Source.of(fresh, None, {}) == DOCUMENTATION


def test_a_path_means_the_same_from_every_working_folder(
    fresh: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "articles.csv").touch()
    Source.of(fresh, "articles.csv", {}).remember(fresh)
    monkeypatch.chdir("/")
    assert Source.of(fresh, None, {}).path == tmp_path / "articles.csv"
