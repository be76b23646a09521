"""What the index really holds, against what it should: the rule, a document at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipelines.ids import HASH_HEX, record_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.documents import Document
    from pipelines.reader import Found
    from pipelines.record import Record

_OURS: Final = re.compile(rf"(?P<doc_id>[0-9a-f]{{{HASH_HEX}}})#(?P<ordinal>0|[1-9][0-9]{{0,5}})")
# Two machines round differently, by 1e-6 at most; two texts that differ in a comma are further apart than this.
MIN_COSINE: Final = 0.9999


class Kind(StrEnum):
    """What is the matter with a record."""

    ORPHAN = "orphan"
    """It is there, and nothing wants it; no sync would find it."""
    MISSING = "missing"
    """The state says that it is there, and it is not."""
    CHANGED = "changed"
    """It is there, with other metadata or values than the state says."""
    STALE = "stale"
    """It is there as it was: the next sync replaces or deletes it."""
    PENDING = "pending"
    """It cannot be judged yet: its document is held back, the next sync writes it, or it was written just now."""
    FOREIGN = "foreign"
    """It is none of ours, as far as can be known."""


DAMAGE: Final = (Kind.ORPHAN, Kind.MISSING, Kind.CHANGED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One record that is not as it should be."""

    kind: Kind
    record_id: str
    source_id: str | None  # None where nobody knows its document
    detail: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """One document, and what the index holds of it."""

    document: Document
    present: Mapping[int, str]  # ordinal -> what is wrong with its record; empty for nothing
    findings: list[Finding]

    @property
    def is_damaged(self) -> bool:
        """No sync would mend it, for the state is wrong."""
        return any(finding.kind in DAMAGE for finding in self.findings)

    @property
    def state_is_wrong(self) -> bool:
        """The state is not what is seen: it has to be told before a sync can mend anything."""
        return self.is_damaged or (self.document.change["held"] is None and bool(self.present))

    def state_row(self) -> dict[str, Any]:
        """Its row of `index_state` as it is seen to be: records that are right are known, all others are not."""
        document = self.document
        room = max(len(document.held), 1 + max(self.present, default=-1))
        known = [
            document.hashes[o] if o < len(document.hashes) and self.present.get(o) == "" else None for o in range(room)
        ]
        return document.row(tuple(known), None)


def by_document(ids: Iterable[str]) -> tuple[dict[str, list[int]], list[str]]:
    """Sort record ids: the ordinals of each document, and the ids that are not of our making."""
    ours: dict[str, list[int]] = {}
    foreign = []
    for name in ids:
        match = _OURS.fullmatch(name)
        if match:
            ours.setdefault(match["doc_id"], []).append(int(match["ordinal"]))
        else:
            foreign.append(name)
    return ours, foreign


def fault(wanted: Record, found: Found) -> str:
    """Say what is wrong with a record; empty for nothing."""
    said = wanted.metadata
    differing = [key for key in {**said, **found.metadata} if not _same(key, said, found.metadata)]
    if differing:
        return f"metadata differs in {', '.join(differing)}"
    if len(found.values) != len(wanted.values):
        return f"it has {len(found.values)} values instead of {len(wanted.values)}"
    lengths = float(np.linalg.norm(wanted.values) * np.linalg.norm(found.values))
    cosine = float(wanted.values @ found.values) / lengths if lengths else 0.0
    return "" if cosine >= MIN_COSINE else f"its vector differs: cosine {cosine:.4f}"


def _same(key: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    if key not in wanted or key not in found:
        return False
    ours, theirs = wanted[key], found[key]
    if isinstance(ours, int) and not isinstance(ours, bool):
        ours = float(ours)  # the service keeps numbers as doubles, which do not tell 2**60 from 2**60 + 1
    return bool(ours == theirs)


def judge(document: Document, present: Mapping[int, str], *, is_young: bool = False) -> Inspected:
    """Compare a document's records with what is there.

    Args:
        document: with its status, what it should hold, and what the state says of it.
        present: by ordinal of each record that is there, what is wrong with it.
        is_young: what was written last may not be seen yet.
    """
    status, held, desired = document.change["status"], document.held, document.hashes
    findings = []
    known = {ordinal for ordinal, payload in enumerate(held) if payload is not None}
    for ordinal in sorted({*range(len(desired)), *present, *(known if status == "pending" else ())}):
        kind = _kind(status, ordinal, held, desired, present)
        if kind is not None:
            kind = Kind.PENDING if is_young and kind in DAMAGE else kind
            source_id = document.change["source_id"] or document.change["held_source_id"]
            detail = present.get(ordinal) or _DETAILS[kind]
            findings.append(Finding(kind, record_id(document.doc_id, ordinal), source_id, detail))
    return Inspected(document, present, findings)


_DETAILS: Final = {
    Kind.ORPHAN: "nothing wants it",
    Kind.MISSING: "it is not there",
    Kind.CHANGED: "it is not what the state says",
    Kind.STALE: "the next sync replaces or deletes it",
    Kind.PENDING: "its document is held back or not written yet",
}


def _kind(
    status: str, ordinal: int, held: tuple[str | None, ...], desired: list[str], present: Mapping[int, str]
) -> Kind | None:
    is_there, is_right = ordinal in present, present.get(ordinal) == ""
    if status == "pending":
        return Kind.PENDING
    if ordinal >= len(desired):
        # The next sync deletes what the state has room for, of documents that it looks at.
        return Kind.STALE if status != "same" and ordinal < len(held) else Kind.ORPHAN
    if is_right:
        return None
    is_known = ordinal < len(held) and held[ordinal] == desired[ordinal]
    if is_known:
        return Kind.CHANGED if is_there else Kind.MISSING
    if status == "same":  # the index refused it
        return Kind.CHANGED if is_there else None
    return Kind.STALE if is_there else Kind.PENDING
