"""One pipeline with everything around it, run as `local run` does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from pinecone import Pinecone

from local.commands import run_once
from local.options import Source
from local.screen import Screen

if TYPE_CHECKING:
    from pathlib import Path

    from local.figures import Figures
    from local.index_server import IndexServer
    from local.job import Job

KEY = "whole-system"
Documents = dict[str | None, str | None]  # id -> text


@dataclass(frozen=True, slots=True)
class World:
    """One pipeline with its source file, tables and namespace."""

    job: Job
    file: Path
    server: IndexServer
    vectors: dict[str, bytes] = field(default_factory=dict)  # by text, as first seen

    def run(self, documents: Documents, full_refresh: list[str] | None = None) -> Figures:
        rows = [
            {"id": source_id, "text": text, "title": f"About {source_id}", "summary": "SECRET"}
            for source_id, text in documents.items()
        ]
        self.file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="ascii")
        return run_once(self.job, Source(self.file, {}), Screen(), full_refresh)

    def contents(self) -> dict[str, tuple[dict[str, Any], bytes]]:
        """Read what the index holds, through the SDK: id -> (metadata, values as float32)."""
        records: dict[str, Any] = {}
        with Pinecone(api_key=KEY, host=self.server.url) as client, client.index("local") as index:
            ids = [record.id for page in index.list(namespace=self.namespace) for record in page.vectors]
            for start in range(0, len(ids), 100):
                records |= index.fetch(ids=ids[start : start + 100], namespace=self.namespace).vectors
        return {
            name: (dict(found.metadata), np.asarray(found.values, np.float32).tobytes())
            for name, found in records.items()
        }

    @property
    def namespace(self) -> str:
        return self.job.parameters["namespace"]

    def table(self, name: str) -> str:
        return f"`{self.job.parameters['schema']}`.`{name}`"


def texts(contents: dict[str, tuple[dict[str, Any], bytes]]) -> dict[str, list[str]]:
    """Sentences of each document, in order."""
    found: dict[str, list[str]] = {}
    for metadata, _ in sorted(contents.values(), key=lambda record: record[0]["ordinal"]):
        found.setdefault(metadata["source_id"], []).append(metadata["text"])
    return found
