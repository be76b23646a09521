from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from local.text_file import read_text
from pipelines.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_with_and_without_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Zürich 😀\r\nend\0\r".encode(encoding))
    assert read_text(path) == "Zürich 😀\r\nend\0\r"


def test_big_endian_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xfe\xff" + "Zürich".encode("utf-16-be"))
    assert read_text(path) == "Zürich"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("café".encode("latin-1"), "caf\ufffd"),
        (b"\xff\xfeA\x00B", "A\ufffd"),  # UTF-16 cut in the middle of a character
        (b"\x89PNG\r\n\x1a\n\x00", "\ufffdPNG\r\n\x1a\n\0"),
        ("a\ud800b".encode("utf-8", "surrogatepass"), "a\ufffd\ufffd\ufffdb"),
    ],
)
def test_bytes_that_do_not_decode_become_replacement_characters(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    assert read_text(path) == text


def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    loop, pipe = tmp_path / "loop.txt", tmp_path / "pipe.txt"
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    for path, reason in ((loop, "symbolic links"), (pipe, "no ordinary file"), (tmp_path / "gone.txt", "No such file")):
        with pytest.raises(SourceError, match=f"{path.name}.*{reason}"):
            read_text(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.touch(mode=0)
    with pytest.raises(SourceError, match=r"a\.txt cannot be read \(Permission denied\)"):
        read_text(path)
