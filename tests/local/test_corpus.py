from __future__ import annotations

import os
from pydoc_data.topics import topics
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.corpus import built_in_corpus, folder_corpus
from pipelines.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in folder_corpus(folder, "id", "text").to_pylist()}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_the_built_in_corpus_is_the_documentation_of_this_python() -> None:
    table = built_in_corpus("topic", "body")
    assert table.column_names == ["topic", "body", "title"]
    texts = dict(zip(table["topic"].to_pylist(), table["body"].to_pylist(), strict=True))
    assert {topic: text.split() for topic, text in texts.items()} == {k: text.split() for k, text in topics.items()}
    assert table.to_pylist()[0]["title"] == 'The "assert" statement'


def test_the_built_in_corpus_has_its_paragraphs_in_one_line_and_its_code_in_many() -> None:
    text = dict(zip(*built_in_corpus("id", "text").drop_columns("title").to_pydict().values(), strict=True))["assert"]
    assert "Assert statements are a convenient way to insert debugging assertions into a program:\n" in text
    assert "\n   if __debug__:\n       if not expression: raise AssertionError\n" in text


def test_ids_are_relative_paths_and_come_sorted(tmp_path: Path) -> None:
    write(tmp_path, {"b.txt": "1", "a/z/Deep.MD": "2", "a.md": "3", "a/é.txt": "4"})
    assert list(rows(tmp_path)) == ["a.md", "a/z/Deep.MD", "a/é.txt", "b.txt"]
    assert rows(tmp_path)["a/z/Deep.MD"]["text"] == "2"


def test_hidden_files_and_other_endings_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "1", ".b.txt": "2", ".git/c.txt": "3", "d/.e/f.txt": "4", "g.py": "5", "txt": "6"})
    (tmp_path / "folder.txt").mkdir()
    assert list(rows(tmp_path)) == ["a.txt"]


def test_linked_files_are_read_and_linked_folders_are_not(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "1", "b/c.txt": "2"})
    (tmp_path / "link.txt").symlink_to("b/c.txt")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    assert list(rows(tmp_path)) == ["a.txt", "b/c.txt", "link.txt"]
    assert rows(tmp_path)["link.txt"]["text"] == "2"


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("a.md", "---\nx: 1\n---\n## The title\nbody", "The title"),
        ("a.md", "no heading\n#tag\nbody", "no heading"),
        ("a.md", "# \nbody", "#"),
        ("a.md", "# Old Mac\rbody", "Old Mac"),
        ("a.txt", "\n \n  First line \r\n# a comment\n", "First line"),
        ("a.txt", " \n", "a.txt"),
        ("a.txt", "x" * 500, "x" * 200),
        ("a.md", "# " + "x" * 500, "x" * 200),
    ],
)
def test_a_title_is_the_heading_or_the_first_line_or_the_name(tmp_path: Path, name: str, text: str, title: str) -> None:
    write(tmp_path, {name: ""})
    (tmp_path / name).write_bytes(text.encode())
    assert rows(tmp_path)[name]["title"] == title


def test_a_file_name_that_is_not_utf_8_becomes_an_id_that_is(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.txt", "wb") as file:  # noqa: PTH123  # a Path is text
        file.write(b"x")
    assert list(rows(tmp_path)) == ["caf\ufffd.txt"]


def test_a_folder_without_documents_is_refused_and_says_what_was_looked_for(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "1", ".b.txt": "2"})
    with pytest.raises(SourceError, match=r"holds no document.*\.txt or \.md.*hidden.*_delta_log"):
        folder_corpus(tmp_path, "id", "text")


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone cannot be read \(No such file or directory\)"):
        folder_corpus(tmp_path / "gone", "id", "text")


def test_a_document_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "1"})
    (tmp_path / "b.txt").symlink_to("gone")
    with pytest.raises(SourceError, match=r"b\.txt cannot be read"):
        folder_corpus(tmp_path, "id", "text")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=200), name=st.sampled_from(["a.txt", "a.md"]))
def test_any_bytes_are_a_document(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    row = rows(tmp_path)[name]
    (row["text"] + row["title"]).encode()
    assert row["title"]
    (tmp_path / name).unlink()
