"""The pipeline's four functions, one on the other, on rows that come from no table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipelines.ids import content_hash, doc_id, record_id
from pipelines.settings import Settings
from pipelines.to_documents import to_documents
from pipelines.to_embeddings import to_embeddings
from pipelines.to_raw import to_raw
from pipelines.to_sentences import to_sentences

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.long

SETTINGS = Settings(source_table="a.b", source_mode="appends", metadata_columns=("title",))
MADE = [0.009631, 0.017980, 0.102731, 0.075020]  # how the packaged model's vector of "It rains." begins
KEPT = np.full(384, 384**-0.5, dtype="<f4")


def test_a_text_becomes_its_sentences_records_and_a_text_that_is_gone_a_tombstone(spark: SparkSession) -> None:
    source = spark.createDataFrame(
        [("a", "It rains.  It pours.", "Weather"), ("b", None, "Nothing")], "id STRING, text STRING, title STRING"
    )
    kept = spark.createDataFrame([(content_hash("It pours."), KEPT.tobytes())], "text_hash STRING, kept_vector BINARY")
    documents = to_documents(to_raw(source, SETTINGS), SETTINGS, source.schema)
    rows = to_embeddings(to_sentences(documents, SETTINGS), kept, SETTINGS).orderBy("source_id", "ordinal").collect()

    a, b = doc_id("a"), doc_id("b")
    assert [(row.id, row.deleted, row.embedded) for row in rows] == [
        (record_id(a, 0), False, True),
        (record_id(a, 1), False, False),
        (record_id(b, None), True, False),
    ]
    rains, pours, gone = rows
    for row, text in ((rains, "It rains."), (pours, "It pours.")):
        said = {"text": text, "doc_id": a, "source_id": "a", "ordinal": row.ordinal, "title": "Weather"}
        assert json.loads(row.metadata) == said
    assert np.allclose(rains.vector[:4], MADE, atol=1e-5)
    assert pours.vector == KEPT.tolist()
    assert (gone.metadata, gone.vector) == (None, None)
