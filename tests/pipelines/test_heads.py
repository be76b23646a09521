"""`to_heads` against `winner`: one rule, computed twice, equal on documents drawn at random."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from pipelines.heads import to_heads
from pipelines.ids import TOMBSTONE_HASH
from pipelines.winner import Head, n_tied, winner

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

CURRENT = "m"  # between the others, so that order by name alone would not do
N_DOCUMENTS = 400
SCHEMA = (
    "doc_id STRING, source_epoch INT, version BIGINT, deleted BOOLEAN, recipe STRING, document_hash STRING, "
    "ordinal INT, n_sentences INT, source_id STRING, model STRING, changed_at TIMESTAMP"
)


class Sentence(NamedTuple):
    """One row of `embeddings`, its narrow columns."""

    doc_id: str
    source_epoch: int
    version: int
    deleted: bool
    recipe: str
    document_hash: str
    ordinal: int | None
    n_sentences: int
    source_id: str
    model: str | None
    changed_at: datetime


def drawn_log(random: Random) -> list[Sentence]:
    """Draw the rows of many documents: few epochs, versions and hashes, so that they meet; rows repeat, or lack."""
    rows = []
    for i in range(N_DOCUMENTS):
        for _ in range(random.randint(1, 6)):
            version, deleted = random.randint(1, 3), random.random() < 0.3
            document_hash = TOMBSTONE_HASH if deleted else random.choice("ab")
            n_sentences = 0 if deleted else 1 + (document_hash == "b")
            key = (f"d{i}", random.randint(0, 1), version, deleted, random.choice("amz"), document_hash)
            changed_at = datetime(2026, 1, version, tzinfo=UTC)
            rest = (n_sentences, f"source {i}", None if deleted else "model", changed_at)
            ordinals = [None] if deleted else [n for n in range(n_sentences) if n == 0 or random.random() < 0.8]
            rows += [Sentence(*key, ordinal, *rest) for ordinal in ordinals for _ in range(random.randint(1, 2))]
    random.shuffle(rows)
    return rows


def expected(rows: list[Sentence]) -> dict[str, tuple[Head, int]]:
    """Say what `winner` says: its head and `n_tied`, by document."""
    ordinals = defaultdict(set)
    for row in rows:
        ordinals[row[:6], row.n_sentences].add(row.ordinal)
    heads = defaultdict(list)
    for (key, n_sentences), here in ordinals.items():
        heads[key[0]].append(Head(*key, n_sentences, len(here - {None})))
    return {doc_id: (won := winner(those, CURRENT), n_tied(those, won)) for doc_id, those in heads.items()}


def as_head(row: Row) -> tuple[Head, int]:
    return Head(**{name: row[name] for name in Head.__dataclass_fields__}), row.n_tied


def test_spark_picks_the_winner_that_the_rule_picks(spark: SparkSession) -> None:
    rows = drawn_log(Random(3))  # noqa: S311  # a fixed draw
    expectations = expected(rows)
    assert {n for _, n in expectations.values()} == {1, 2}
    assert {head.deleted for head, _ in expectations.values()} == {True, False}
    assert {head.is_complete for head, _ in expectations.values()} == {True, False}
    heads = to_heads(spark.createDataFrame(rows, SCHEMA), CURRENT).collect()
    assert {row.doc_id: as_head(row) for row in heads} == expectations
    assert len(heads) == len(expectations)
    for row in heads:
        assert row.source_id == f"source {row.doc_id[1:]}"
        assert row.model == (None if row.deleted else "model")
        assert row.changed_at.day == row.version
