"""A mistake put into a copy of the bundle, and the finding that must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.bundle.check import check
from local.bundle.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.bundle.finding import Finding
    from local.bundle.project import Project

ROOT = Path(__file__).resolve().parents[3]
TOP = "databricks.yml"
SYNC = "resources/sync.job.yml"
PIPELINE = "resources/embeddings.pipeline.yml"
# What the copy's target dev is given, in two lines: a finding must name the right one.
VALUES = '{"catalog": "main", "source_table": "main.docs.articles",\n"id_column": "id", "text_column": "body"}'


@dataclass(frozen=True, slots=True)
class Seed:
    """An edit of one file."""

    name: str
    finds: Callable[[Project], Iterator[Finding]]  # the check that must find it
    file: str
    old: str  # stands there; its first place is edited
    new: str
    says: str  # part of the finding
    at: str = ""  # in the line that the finding must name, the nearest to the edit; by default the first one of `new`
    found_in: str = ""  # by default the edited file
    also: int = 0  # findings that come along, because one mistake can be two

    def __str__(self) -> str:
        return self.name

    def must_be_found(self, root: Path) -> None:
        """Edit the copy, and hold what is found against what must be."""
        edited = edit(root, self.file, self.old, self.new)
        found = check(Sources.read(root))
        file = self.found_in or self.file
        place = f"{file}:{self._line(root / file, edited)}: "
        mine = [finding for finding in found if str(finding).startswith(place) and self.says in str(finding)]
        assert len(mine) == 1, "\n".join([f"expected {place}{self.says}", *map(str, found)])
        assert len(found) == 1 + self.also, "\n".join(map(str, found))

    def _line(self, path: Path, edited: int) -> int:
        wanted = self.at or self.new.strip().splitlines()[0].strip()
        lines = path.read_text(encoding="utf-8").splitlines()
        there = [number for number, line in enumerate(lines, start=1) if wanted in line]
        return min(there, key=lambda number: abs(number - edited))


def edit(root: Path, file: str, old: str, new: str) -> int:
    """Put one text in another's first place; return the line of it."""
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text, "the edit no longer fits the file"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def must_be_silent(root: Path, file: str, old: str, new: str) -> None:
    """Edit the copy so that nothing is wrong with it."""
    edit(root, file, old, new)
    assert not [str(finding) for finding in check(Sources.read(root))]
