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
    table_id: str
    table_version: int  # of `embeddings`, fixed at the start
    source_table_id: str
    source_epoch: int
    form: str = "whole"
    reason: str = "the only form there is"
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
        for name in ("started_at", "ended_at"):
            values[name] = datetime.fromisoformat(values[name]) if values[name] else None
        return cls(**{name.name: values[name.name] for name in fields(cls)})
