"""The folder that holds everything a run keeps, and who may use it."""

from __future__ import annotations

import fcntl
import os
import shlex
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_HOME = ".streaming_embeddings"  # in the working folder, so that two clones never meet


@dataclass(frozen=True, slots=True)
class Home:
    """Where things are below `--home`. Two homes share nothing but the downloaded jars."""

    root: Path

    @classmethod
    def at(cls, folder: str | Path) -> Home:
        """Make the folder if need be.

        Raises:
            SettingsError: it is a file, or cannot be written.
        """
        root = Path(folder).expanduser().resolve()
        is_new = not root.exists()
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"--home {folder} cannot be used ({error.strerror}): choose another folder") from error
        if not os.access(root, os.W_OK):
            raise SettingsError(f"--home {folder} cannot be written: choose another folder")
        if is_new:  # neither git nor `databricks bundle deploy` is to take it along
            (root / ".gitignore").write_text("*\n", encoding="ascii")
        return cls(root)

    @property
    def is_default(self) -> bool:
        """Where commands look without `--home`."""
        return self.root == Path(DEFAULT_HOME).resolve()

    @property
    def warehouse(self) -> Path:
        """The Delta tables, `schema.db/table`."""
        return self.root / "warehouse"

    @property
    def checkpoints(self) -> Path:
        """How far each flow of the pipeline has read."""
        return self.root / "checkpoints"

    @property
    def spark(self) -> Path:
        """Spark's configuration, log and scratch files."""
        return self.root / "spark"

    @property
    def index(self) -> Path:
        """The index server's data."""
        return self.root / "index"

    @property
    def port_file(self) -> Path:
        """Port of the index server that serves this home, while one runs."""
        return self.root / "index.port"

    @property
    def source_file(self) -> Path:
        """What the last run mirrored, for runs that name no source."""
        return self.root / "source.json"

    def command(self, *words: str) -> str:
        """Return what a person types, in the folder they are in, to run one of our commands in this home."""
        python, here = Path(sys.executable), Path.cwd()
        shown = python.relative_to(here) if python.is_relative_to(here) else python
        where = () if self.is_default else ("--home", str(self.root))
        return shlex.join([str(shown), "-m", "local", *words, *where])

    def keep(self, file: Path, text: str) -> None:
        """Write one of the home's small files: killed in the middle, a run leaves the old one or the new one."""
        draft = file.with_suffix(".draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the home for one process: two would write the same checkpoints.

        The lock is the kernel's, so a killed run leaves none behind.

        Raises:
            SettingsError: another process holds it.
        """
        with (self.root / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise SettingsError(
                    f"another run is using {self.root} (process {holder}): wait for it, or choose another --home"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
