"""Ten thousand documents, and one of five hundred sentences: a sync sends what changed, counted record by record."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from pipelines import sync as sync_module
from pipelines.ids import doc_id, record_id
from pipelines.index import VectorIndex
from pipelines.tables import EMBEDDINGS
from tests.pipelines.scene import MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.record import DeadLetter, Record
    from tests.pipelines.scene import Scene

N_DOCUMENTS = 10_000


class CountingIndex(VectorIndex):
    """The real one, which remembers what it was asked to write."""

    upserted: ClassVar[list[str]] = []
    deleted_ids: ClassVar[list[str]] = []

    def upsert(self, records: Sequence[Record]) -> list[DeadLetter]:
        self.upserted.extend(record.id for record in records)
        return super().upsert(records)

    def delete(self, ids: Sequence[str]) -> None:
        self.deleted_ids.extend(ids)
        super().delete(ids)


def log(scene: Scene, sentences: str, version: int, *, edited: str = "false", deleted: str = "false") -> None:
    """Append a version of documents, made where the rows go.

    Args:
        scene: whose log.
        sentences: SQL of the relation with `source_id`, `ordinal` and `n_sentences`.
        version: of all of them.
        edited: SQL condition: the sentence has another text than its place says.
        deleted: SQL condition: it is a tombstone.
    """
    text = f"concat(source_id, ' ', ordinal, if({edited}, ' edited', ''))"
    values = {
        "id": "concat(doc_id, '#', if(deleted, '', CAST(ordinal AS STRING)))",
        "vector": "if(deleted, NULL, transform(sequence(1, 384), i -> float(hash(text, i))))",
        "namespace": "'n'",
        "metadata": "to_json(named_struct('text', text, 'doc_id', doc_id))",
        "version": str(version),
        "ordinal": "if(deleted, NULL, ordinal)",
        "n_sentences": "if(deleted, 0, n_sentences)",
        "text_hash": "sha2(text, 256)",
        "document_hash": f"if(deleted, 'deleted', concat(doc_id, '{edited}'))",
        "model": f"'{MODEL}'",
        "recipe": f"'{scene.recipe}'",
        "source_epoch": "0",
        "changed_at": "current_timestamp()",
        "embedded": "true",
    }
    columns = ", ".join(values.get(name, name) for name in EMBEDDINGS.columns)
    scene.spark.sql(
        f"INSERT INTO {scene.settings.table(EMBEDDINGS.name)} SELECT {columns} FROM (SELECT *, {text} AS text, "
        f"{deleted} AS deleted, substring(sha2(source_id, 256), 1, 32) AS doc_id FROM ({sentences}))"
    )


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[CountingIndex]:
    monkeypatch.setattr(sync_module, "VectorIndex", CountingIndex)
    return CountingIndex


@pytest.mark.long
def test_exactly_what_changed_is_sent(
    scene: Scene, counting: type[CountingIndex], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = f"SELECT concat('d', id) AS source_id, 0 AS ordinal, 1 AS n_sentences FROM range({N_DOCUMENTS})"
    long = "SELECT 'long' AS source_id, CAST(id AS INT) AS ordinal, 500 AS n_sentences FROM range(500)"
    ids = f"SELECT concat('d', id) AS id FROM range({N_DOCUMENTS}) UNION ALL SELECT 'long'"
    scene.spark.sql(f"INSERT INTO {scene.settings.source_table} SELECT id, 'a text' FROM ({ids})")
    scene.prepare()
    log(scene, f"{many} UNION ALL {long}", 1)
    assert scene.sync().n_upserted == len(set(counting.upserted)) == N_DOCUMENTS + 500

    counting.upserted.clear()
    log(scene, long, 2, edited="ordinal = 77")
    report = scene.sync()
    assert counting.upserted == [record_id(doc_id("long"), 77)]
    assert (report.form, report.n_upserted, report.n_unchanged) == ("incremental", 1, N_DOCUMENTS + 499)

    counting.upserted.clear()
    log(scene, f"{many} WHERE id % 100 = 7", 3, edited="true")
    log(scene, f"{many} WHERE id % 100 = 9", 3, deleted="true")
    report = scene.sync()
    assert sorted(counting.upserted) == sorted(record_id(doc_id(f"d{i}"), 0) for i in range(7, N_DOCUMENTS, 100))
    assert sorted(counting.deleted_ids) == sorted(record_id(doc_id(f"d{i}"), 0) for i in range(9, N_DOCUMENTS, 100))
    assert (report.n_upserted, report.n_deleted, report.n_records) == (100, 100, N_DOCUMENTS + 400)
    assert report.visible_at is not None

    # A refresh brings the same rows again: all are compared, no vector is read, nothing is asked of the index.
    scene.spark.sql(f"TRUNCATE TABLE {scene.settings.table(EMBEDDINGS.name)}")
    log(scene, f"{many} WHERE id % 100 NOT IN (7, 9)", 1)
    log(scene, long, 2, edited="ordinal = 77")
    log(scene, f"{many} WHERE id % 100 = 7", 3, edited="true")
    monkeypatch.setattr(sync_module, "read_documents", None)
    report = scene.sync()
    assert (report.form, report.n_requests, report.n_checks, report.n_changed) == ("whole", 0, 0, 0)
    assert report.reason == "more than 10000 documents changed"
