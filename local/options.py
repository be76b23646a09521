"""What a command was asked for, as settings: flags first, then the environment, then what this home remembers."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.corpus import TITLE_COLUMN
from pipelines.errors import SettingsError, SourceError
from pipelines.settings import from_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.home import Home

SCHEMA = "streaming_embeddings"
# They belong to one run: what a person is told to type next leaves them out.
ONCE = (
    *("max_delete_ratio", "max_dead_letter_ratio", "retry_dead_letters", "adopt"),
    *("repair", "delete_foreign", "forget", "allow_back", "dry_run", "drop_other_models"),
)
REMEMBERED = ("id_column", "text_column", "metadata_columns")  # they belong to the source


@dataclass(frozen=True, slots=True)
class Source:
    """What is mirrored: a path, or None for the documentation inside CPython; and its columns, where not the usual."""

    path: Path | None
    columns: Mapping[str, str]

    @classmethod
    def of(cls, home: Home, path: str | None, chosen: Mapping[str, str]) -> Source:
        """Take what was named, else what this home mirrored last; what was chosen about columns goes on top.

        Raises:
            SourceError: there is nothing where the path leads; found before Spark starts.
        """
        columns = {name: text for name, text in chosen.items() if name in REMEMBERED}
        if path is not None:
            named = Path(path).expanduser().resolve()
            if not named.exists():
                raise SourceError(f"source {named} does not exist: name a file or a folder")
            return cls(named, columns)
        if not home.source_file.exists():
            return cls(None, columns)
        kept = json.loads(home.source_file.read_text(encoding="utf-8"))
        return cls(Path(kept["path"]) if kept["path"] else None, {**kept["columns"], **columns})

    def remember(self, home: Home) -> None:
        """Keep it for runs in this home that name no source."""
        kept = {"path": None if self.path is None else str(self.path), "columns": dict(self.columns)}
        home.keep(home.source_file, json.dumps(kept))

    @property
    def is_texts(self) -> bool:
        """Whole texts, which the loader gives an id, a text and a title."""
        return self.path is None or (self.path.is_dir() and not (self.path / "_delta_log").is_dir())

    def __str__(self) -> str:
        return "Python's documentation" if self.path is None else str(self.path)


def settings_of(flags: Sequence[str]) -> dict[str, str]:
    """Read `--set NAME=VALUE` flags.

    Raises:
        SettingsError: a flag without `=`.
    """
    chosen = {}
    for flag in flags:
        name, equals, text = flag.partition("=")
        if not equals:
            raise SettingsError(f"--set {flag} has no value: write --set {flag}=VALUE")
        chosen[name.strip()] = text
    return chosen


def parameters(source: Source, chosen: Mapping[str, str], index_url: str | None) -> dict[str, str]:
    """Put a run's settings together.

    Args:
        source: what is mirrored.
        chosen: from `settings_of`.
        index_url: address of the local index server; None for Pinecone itself. The two keep separate state, since
            their indexes have different names.
    """
    usual = {
        "schema": SCHEMA,
        "source_table": f"{SCHEMA}.source",
        "metadata_columns": TITLE_COLUMN if source.is_texts else "",
    }
    # After the environment, where an index name is meant for the real service.
    index = {"index_name": "local", "pinecone_host": index_url} if index_url else {}
    return {**usual, **source.columns, **from_environment(os.environ), **index, **chosen}
