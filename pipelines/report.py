"""What one sync did: the row it leaves in `sync_runs`, and what it tells whoever started it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class SyncReport:
    """Filled while the sync runs, so that a failed one still says how far it came."""

    run_id: str
    index: str
    namespace: str
    started_at: datetime
    source_epoch: int
    table_id: str | None = None  # these five from the snapshot, which a run that fails early has not taken
    table_version: int | None = None
    source_table_id: str | None = None
    source_version: int | None = None
    recipe: str | None = None
    dimension: int = 0  # of the model
    form: str | None = None
    reason: str | None = None
    n_documents: int = 0
    n_sentences: int = 0
    n_records: int = 0  # in the index when it ended, or after what a dry run would do; not known after a failure
    n_changed: int = 0
    n_upserted: int = 0
    n_deleted: int = 0
    n_unchanged: int = 0
    n_refused: int = 0
    n_pending: int = 0
    n_tied: int = 0
    n_requests: int = 0
    n_retries: int = 0
    n_checks: int = 0
    n_planned_requests: int = 0  # what sending takes if nothing fails
    n_bytes: int = 0
    n_write_units: int = 0  # estimated
    largest: list[tuple[str, int, int]] = field(default_factory=list)  # of a plan: source_id, records, bytes of text
    lsn: int | None = None
    visible_at: datetime | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    outcome: str = "failed"
    error: str | None = None
    ended_at: datetime | None = None
    dry_run: bool = False
    advice: list[str] = field(default_factory=list)  # what a person should know or do

    def as_json(self) -> str:
        """JSON object of every field."""
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def from_json(cls, text: str) -> SyncReport:
        """Read what `as_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        for name in ("started_at", "ended_at", "visible_at"):
            values[name] = datetime.fromisoformat(values[name]) if values[name] else None
        values["largest"] = [tuple(document) for document in values["largest"]]
        return cls(**{name.name: values[name.name] for name in fields(cls)})
