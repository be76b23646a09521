"""Documents that are whole texts: a folder of them, or the Python documentation that CPython brings along.

Both come as an Arrow table of three string columns, a row a document: id, text, `title`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from local.text_file import read_text
from pipelines.errors import SourceError
from pipelines.text import replace_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterable

TITLE_COLUMN = "title"
TEXT_ENDINGS = (".txt", ".md")
_MAX_TITLE = 200  # characters: a file without line breaks would be its own title otherwise
_WRAPPED_AT = 70  # columns; MAXWIDTH in sphinx/writers/text.py
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*)", re.MULTILINE)  # CommonMark 0.31, "ATX headings"


def built_in_corpus(id_column: str, text_column: str) -> pa.Table:
    """The topics of Python's `help()`, some 79 documents; a document's id is its topic."""
    from pydoc_data.topics import topics  # noqa: PLC0415  # half a megabyte that few runs need

    documents = ((topic, _unwrapped(text), _first_line(text) or topic) for topic, text in sorted(topics.items()))
    return _table(documents, id_column, text_column)


def _unwrapped(text: str) -> str:
    """Undo the line breaks within paragraphs, which Sphinx's text builder set: a line end ends a sentence for us.

    A break was set where the next word would not have fitted into `_WRAPPED_AT` columns.
    """
    lines: list[str] = []
    width = 0  # of the last line as it stood in the file
    for line in text.splitlines():
        words = line.split(maxsplit=1)
        if words and width and width + 1 + len(words[0]) > _WRAPPED_AT:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
        width = len(line)
    return "\n".join(lines)


def folder_corpus(folder: Path, id_column: str, text_column: str) -> pa.Table:
    """Every .txt and .md file at any depth below a folder, sorted by id: the relative path, its parts joined by `/`.

    The title is the first Markdown heading (of a .md file), else the first line that is not blank, else the file's
    name. Hidden files and folders are passed over. A link to a file is read, a link to a folder is not followed: it
    may lead back up.

    Raises:
        SourceError: there is no such file, or a file or folder cannot be read. A document passed over in silence
            would be a document deleted.
    """
    paths = sorted(_text_files(folder), key=lambda path: path.relative_to(folder).as_posix())
    if not paths:
        raise SourceError(
            f"{folder} holds no document: looked at any depth for names ending in {' or '.join(TEXT_ENDINGS)}, hidden "
            f"ones passed over, and for a Delta table's _delta_log; name another folder, or a .jsonl, .csv or .parquet "
            f"file"
        )
    return _table((_document(path, folder) for path in paths), id_column, text_column)


def _text_files(folder: Path) -> Iterable[Path]:
    def refuse(error: OSError) -> None:
        raise SourceError(f"{error.filename} cannot be read ({error.strerror}): repair it, or move it elsewhere")

    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]  # os.walk goes down into what is left
        for name in files:
            if name.lower().endswith(TEXT_ENDINGS) and not name.startswith("."):
                yield Path(parent, name)


def _document(path: Path, folder: Path) -> tuple[str, str, str]:
    text = read_text(path)
    heading = _HEADING.search(text) if path.suffix.lower() == ".md" else None
    title = _first_line(heading[1] if heading else text) or _first_line(text) or path.name
    return path.relative_to(folder).as_posix(), text, title


def _first_line(text: str) -> str:
    """First line that is not blank, cut to a title's length; empty if there is none."""
    return next(iter(text.lstrip()[:_MAX_TITLE].splitlines()), "").rstrip()


def _table(documents: Iterable[tuple[str, str, str]], id_column: str, text_column: str) -> pa.Table:
    """Columns of (id, text, title); a file name that is not UTF-8 reaches Python with lone surrogates."""
    columns = [[replace_surrogates(value) for value in column] for column in zip(*documents, strict=True)]
    return pa.table([pa.array(column, pa.string()) for column in columns], names=[id_column, text_column, TITLE_COLUMN])
