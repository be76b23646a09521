"""Which index server a command talks to."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from local.home import Home
from local.index_server import IndexServer
from local.serving import index_key, index_url, serve
from pipelines.errors import VectorIndexError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fresh(tmp_path: Path) -> Home:
    return Home.at(tmp_path / "home")


def health(url: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{url}/health") as answer:  # noqa: S310  # loopback
        found: dict[str, str] = json.load(answer)
    return found


def test_a_command_without_a_server_gets_one_for_as_long_as_it_runs(fresh: Home) -> None:
    with index_url(fresh) as url:
        assert health(url)["home_id"] == str(fresh.root)
        assert url.endswith(f":{fresh.port_file.read_text()}")
    assert not fresh.port_file.exists()
    with pytest.raises(urllib.error.URLError):
        health(url)


def test_a_command_joins_the_server_that_runs_and_leaves_it_running(fresh: Home) -> None:
    with serve(fresh, port=0) as server:
        for _ in range(2):
            with index_url(fresh) as url:
                assert url == server.url
        assert health(server.url)
        assert fresh.port_file.read_text() == str(server.port)


def test_a_proxy_of_the_environment_does_not_stand_between_a_command_and_its_server(
    fresh: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies of its first use
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serve(fresh, port=0) as server, index_url(fresh) as url:
        assert url == server.url


@pytest.mark.parametrize("left", ["", "no number", "\xff", "70000", "free port"])
def test_a_port_file_that_names_no_server_is_passed_over(fresh: Home, left: str) -> None:
    if left == "free port":
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            left = str(taken.getsockname()[1])
    fresh.port_file.write_text(left, encoding="utf-8")
    with index_url(fresh) as url:
        assert health(url)["home_id"] == str(fresh.root)


def test_a_port_that_went_to_another_homes_server_is_passed_over(fresh: Home, tmp_path: Path) -> None:
    with serve(Home.at(tmp_path / "other"), port=0) as other:
        fresh.port_file.write_text(str(other.port), encoding="ascii")
        with index_url(fresh) as url:
            assert url != other.url
            assert health(url)["home_id"] == str(fresh.root)


def test_a_server_that_nobody_can_find_still_keeps_its_index_to_itself(fresh: Home) -> None:
    with IndexServer(fresh.index, api_key="local"), pytest.raises(VectorIndexError), index_url(fresh):
        pass
    assert not fresh.port_file.exists()


def test_a_port_in_use_is_an_error_and_leaves_no_port_file(fresh: Home, tmp_path: Path) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(serve(Home.at(tmp_path / "other"), port=0))
        with pytest.raises(VectorIndexError, match=f"port {other.port} .* in use"):
            stack.enter_context(serve(fresh, port=other.port))
    assert not fresh.port_file.exists()


@pytest.mark.parametrize(("variable", "key"), [("mine", "mine"), ("", "local"), (None, "local")])
def test_server_and_commands_agree_on_the_key(
    fresh: Home, monkeypatch: pytest.MonkeyPatch, variable: str | None, key: str
) -> None:
    monkeypatch.delenv("PINECONE_API_KEY", raising=False)
    if variable is not None:
        monkeypatch.setenv("PINECONE_API_KEY", variable)
    assert index_key() == key
    with index_url(fresh) as url:
        assert status(url, key) == 200
        assert status(url, "another") == 401


def status(url: str, key: str) -> int:
    """Give the HTTP status of a request with this key."""
    request = urllib.request.Request(f"{url}/indexes", headers={"Api-Key": key})  # noqa: S310  # loopback
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310  # loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
