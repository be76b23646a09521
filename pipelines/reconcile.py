"""Reconcile: what the index really holds, against state, tables and source; read-only unless told to repair."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from pipelines.errors import IndexDiffers
from pipelines.index import VectorIndex
from pipelines.inspection import DAMAGE, Finding, Kind
from pipelines.lease import Lease
from pipelines.reader import Reader
from pipelines.snapshot import Snapshot
from pipelines.state import State
from pipelines.survey import Survey
from pipelines.sync import sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import SparkSession

    from pipelines.report import SyncReport
    from pipelines.settings import Settings

N_EXAMPLES: Final = 10  # of each kind


@dataclass(slots=True)
class Reconciled:
    """What was found, and what was done about it."""

    counts: dict[str, int]  # records by kind
    examples: list[Finding]
    n_requests: int = 0
    n_foreign_deleted: int = 0
    repair: SyncReport | None = None  # the sync that mended it

    def as_json(self) -> str:
        """JSON object of every field."""
        return json.dumps(asdict(self), default=str)

    def lines(self) -> Iterator[str]:
        """Say it to a person."""
        yield "found: " + ", ".join(f"{n:,} {kind}" for kind, n in self.counts.items())
        for finding in self.examples:
            of = f" of {finding.source_id}" if finding.source_id else ""
            yield f"  {finding.kind}: {finding.record_id}{of}, {finding.detail}"


def reconcile(
    spark: SparkSession,
    settings: Settings,
    api_key: str,
    on_progress: Callable[[str], None] = lambda _line: None,
) -> Reconciled:
    """Compare every record of the namespace; with `repair`, correct the state and let a sync do what it then finds.

    A sync that runs meanwhile moves records under its eyes: without `repair`, which lets no other run write, look again
    before you believe what it says then.

    Args:
        spark: a session that sees the pipeline's tables.
        settings: which namespace; `repair` and `delete_foreign`.
        api_key: Pinecone's.
        on_progress: told what was found, line by line.

    Raises:
        IndexDiffers: records are not as the state says, and nothing mended them.
        SyncRefused: the repair would delete too much, or another run writes.
    """
    run_id = str(uuid.uuid4())
    writes = settings.repair or settings.delete_foreign
    lease = Lease(spark, settings, run_id) if writes else None
    may_write = lease.check if lease else lambda: None
    with lease or nullcontext(), VectorIndex(settings, api_key, may_write) as index:
        reader, state = Reader(index, settings.namespace), State(spark, settings, may_write, run_id)
        if writes:
            state.create()  # what an earlier release has made may lack columns
        survey = Survey(spark, settings, state, Snapshot.take(spark, settings), reader)
        findings = survey.correct_state() if settings.repair else survey.findings()
        counts: Counter[Kind] = Counter()
        examples: list[Finding] = []
        foreign: list[str] = []
        for finding in findings:
            counts[finding.kind] += 1
            examples += [finding] if counts[finding.kind] <= N_EXAMPLES else []
            foreign += [finding.record_id] if finding.kind == Kind.FOREIGN else []
        found = Reconciled({str(kind): counts[kind] for kind in Kind}, examples)
        for line in found.lines():
            on_progress(line)
        if settings.delete_foreign and foreign:
            index.delete(foreign)
            found.n_foreign_deleted = len(foreign)
            on_progress(f"{len(foreign):,} foreign records deleted")
        found.n_requests = index.n_requests
    n_damaged = sum(counts[kind] for kind in DAMAGE)
    if settings.repair:
        found.repair = sync(spark, settings, api_key)
        n_left = counts[Kind.FOREIGN] - found.n_foreign_deleted
        left = f"; {n_left:,} foreign stay: delete_foreign=true deletes them" if n_left else ""
        done = f"{found.repair.n_upserted:,} records written, {found.repair.n_deleted:,} deleted"
        on_progress(f"and mended by a sync: {done}{left}")
    elif n_damaged:
        raise IndexDiffers(
            f"{n_damaged:,} records of namespace {settings.namespace} are not as index_state says, and no sync would "
            "mend them: run reconcile with repair=true, locally `reconcile --repair`"
        )
    return found
