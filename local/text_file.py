"""Read a text file whatever it is encoded in: no file that a person calls text is refused for its bytes."""

from __future__ import annotations

import codecs
import stat
from typing import TYPE_CHECKING

from pipelines.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """Return the text of a file, every line end as it stands.

    UTF-16 where a byte order mark says so, else UTF-8 with or without one. Bytes that do not decode become U+FFFD and
    NUL stays: the pipeline's rules judge a text that is mostly unreadable, and can quarantine only what reaches them.

    Raises:
        SourceError: it cannot be read, or is a pipe or a device, which might never end.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SourceError(f"{path} is no ordinary file: replace it by one, or move it elsewhere")
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}): repair it, or move it elsewhere") from error
    return content.decode("utf-16" if content.startswith(_UTF_16_MARKS) else "utf-8-sig", errors="replace")
