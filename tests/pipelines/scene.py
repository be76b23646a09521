"""A source, a log of embeddings and an index to sync them into, all real but for the model: vectors are drawn."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from pipelines.ids import TOMBSTONE_HASH, content_hash, doc_id, record_id
from pipelines.prepare import Prepared, prepare
from pipelines.recipe import embeddings_recipe
from pipelines.sql import sql_string
from pipelines.state import State
from pipelines.state_tables import DEAD_LETTER, SYNC_RUNS
from pipelines.sync import sync
from pipelines.tables import EMBEDDINGS
from pipelines.weights import DEFAULT_DIMENSION, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from pinecone import Pinecone
    from pyspark.sql import Row, SparkSession

    from local.index_server import IndexServer
    from pipelines.report import SyncReport
    from pipelines.settings import Settings

KEY = "a-key-that-must-not-show"
MODEL = fingerprint(None, "float32")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def vector(text: str) -> NDArray[np.float32]:
    """Draw the vector of a sentence: always the same one, of length one."""
    drawn = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(DEFAULT_DIMENSION)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a document as `embeddings` holds it; without sentences it is a tombstone."""

    source_id: str
    version: int
    sentences: tuple[str, ...] = ()
    title: str = "a title"
    recipe: str = ""  # empty for the current one
    model: str = MODEL

    @property
    def doc_id(self) -> str:
        return doc_id(self.source_id)

    def records(self) -> dict[str, tuple[bytes, dict[str, Any]]]:
        """Say what the index should hold of it: the vector's bits and the metadata, by id."""
        return {
            record_id(self.doc_id, i): (vector(text).tobytes(), self._metadata(i))
            for i, text in enumerate(self.sentences)
        }

    def rows(self, recipe: str) -> list[tuple[Any, ...]]:
        """Rows of `embeddings`, in the order of its columns."""
        content = orjson.dumps([self.sentences, self.title]).decode()
        common = {
            "namespace": "whatever it was",
            "doc_id": self.doc_id,
            "source_id": self.source_id,
            "version": self.version,
            "n_sentences": len(self.sentences),
            "document_hash": content_hash(content) if self.sentences else TOMBSTONE_HASH,
            "recipe": self.recipe or recipe,
            "deleted": not self.sentences,
            "source_epoch": 0,
            "changed_at": NOON,
        }
        own: list[dict[str, Any]] = [
            {
                "id": record_id(self.doc_id, i),
                "vector": vector(text).tolist(),
                "metadata": orjson.dumps(self._metadata(i)).decode(),
                "ordinal": i,
                "text_hash": content_hash(text),
                "model": self.model,
                "embedded": True,
            }
            for i, text in enumerate(self.sentences)
        ]
        rows = own or [{"id": record_id(self.doc_id, None), "embedded": False}]
        return [tuple((common | row).get(name) for name in EMBEDDINGS.columns) for row in rows]

    def _metadata(self, ordinal: int) -> dict[str, Any]:
        ours = {"text": self.sentences[ordinal], "doc_id": self.doc_id, "source_id": self.source_id}
        return {**ours, "ordinal": ordinal, "title": self.title}


@dataclass(slots=True)
class Scene:
    """One source, one log and one index, in a schema of its own."""

    spark: SparkSession
    server: IndexServer
    settings: Settings
    pinecone: Pinecone
    held: set[str] = field(default_factory=set)  # source ids that the source holds

    @property
    def recipe(self) -> str:
        return embeddings_recipe(self.settings)

    def log(self, *versions: Version, without: Iterable[str] = ()) -> None:
        """Append versions to `embeddings` as the pipeline would, `without` the rows of some record ids."""
        rows = [row for version in versions for row in version.rows(self.recipe) if row[0] not in set(without)]
        frame = self.spark.createDataFrame(rows, EMBEDDINGS.ddl())
        frame.coalesce(1).write.insertInto(self.settings.table(EMBEDDINGS.name))
        held = self.held | {version.source_id for version in versions if version.sentences}
        self.source_holds(held - {version.source_id for version in versions if not version.sentences})

    def source_holds(self, source_ids: set[str]) -> None:
        """Make the source hold just these documents."""
        if source_ids != self.held:
            ids = ", ".join(f"({sql_string(source_id)}, 'a text')" for source_id in sorted(source_ids))
            self.spark.sql(f"INSERT OVERWRITE {self.settings.source_table} VALUES {ids}")
        self.held = source_ids

    def prepare(self, **changed: Any) -> Prepared:
        return prepare(self.spark, replace(self.settings, **changed), KEY)

    def sync(self, *, api_key: str = KEY, **changed: Any) -> SyncReport:
        return sync(self.spark, replace(self.settings, **changed), api_key)

    def contents(self, namespace: str | None = None) -> dict[str, tuple[bytes, dict[str, Any]]]:
        """Read the whole namespace through the SDK: the vector's bits and the metadata, by id."""
        namespace = namespace or self.settings.namespace
        with self.pinecone.Index(self.settings.index_name) as index:
            ids = [str(item.id) for page in index.list(namespace=namespace) for item in page.vectors]
            found = index.fetch(ids=ids, namespace=namespace).vectors if ids else {}
        return {
            i: (np.asarray(it.values, dtype=np.float32).tobytes(), dict(it.metadata or {})) for i, it in found.items()
        }

    def state(self) -> dict[str, Row]:
        """Rows of `index_state` of this namespace that count, by source id."""
        return {row.source_id: row for row in State(self.spark, self.settings).held().collect()}

    def runs(self) -> list[Row]:
        """Rows of `sync_runs`, in order of time."""
        return self.spark.table(self.settings.table(SYNC_RUNS.name)).orderBy("started_at").collect()

    def dead_letters(self) -> list[Row]:
        """Rows of `dead_letter`."""
        return self.spark.table(self.settings.table(DEAD_LETTER.name)).orderBy("id").collect()

    def n_writes(self) -> Counter[str]:
        """Count the requests that the server saw and that wrote records."""
        seen = Counter(self.server.request_counts())
        return Counter({name: seen[name] for name in ("upsert", "delete") if seen[name]})


def desired(*versions: Version) -> dict[str, tuple[bytes, dict[str, Any]]]:
    """Say what a namespace should hold that holds just these versions."""
    return {key: record for version in versions for key, record in version.records().items()}
