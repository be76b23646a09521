"""What a window of writes costs: estimated by a plan, noted by a sync (docs.pinecone.io, "Understanding cost")."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from pipelines.record import MAX_RECORDS, batches, wire_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.report import SyncReport

_UNIT_BYTES: Final = 1_000
_MIN_UNITS: Final = 5  # of a request
_ID_BYTES: Final = 36  # 32 hex digits, # and an ordinal
_FLOAT_BYTES: Final = 4
_TYPICAL_METADATA_BYTES: Final = 400  # of a record that is deleted: how large it was is not kept


def add_cost(report: SyncReport, written: Sequence[int], replaced: Sequence[int], n_deleted: int) -> None:
    """Add bytes, requests and write units to a report.

    Args:
        report: it also says the model's dimension.
        written: bytes of metadata of each record written.
        replaced: the same of those that had a predecessor: the service counts that one too, taken to be as large.
        n_deleted: records deleted.
    """
    dimension = report.dimension

    def stored(n_metadata_bytes: int) -> int:
        return _ID_BYTES + n_metadata_bytes + _FLOAT_BYTES * dimension

    n_upserts = sum(1 for _ in batches(written, lambda n_bytes: wire_bytes(n_bytes, dimension)))
    n_deletes = ceil(n_deleted / MAX_RECORDS)
    n_bytes = sum(map(stored, written))
    report.n_bytes += n_bytes
    report.n_planned_requests += n_upserts + n_deletes
    report.n_write_units += _units(n_bytes + sum(map(stored, replaced)), n_upserts)
    report.n_write_units += _units(n_deleted * stored(_TYPICAL_METADATA_BYTES), n_deletes)


def _units(n_bytes: int, n_requests: int) -> int:
    return max(_MIN_UNITS * n_requests, ceil(n_bytes / _UNIT_BYTES))
