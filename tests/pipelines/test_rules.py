"""Rules as SQL: one that gives NULL does not hold, and a reason is a rule's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines import rules

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_null_does_not_hold_and_every_broken_rule_is_a_reason(spark: SparkSession) -> None:
    facts = {"is_big": "n > 10", "is_even": "n % 2 = 0"}
    rows = spark.sql(
        f"SELECT {rules.holds(facts)} AS holds, {rules.reasons(facts)} AS reasons "
        "FROM VALUES (1, 12), (2, 2), (3, 11), (4, 1), (5, NULL) AS t(i, n) ORDER BY i"
    ).collect()
    assert [row.holds for row in rows] == [True, False, False, False, False]
    assert [row.reasons for row in rows] == [[], ["is_big"], ["is_even"], ["is_big", "is_even"], ["is_big", "is_even"]]


def test_rules_of_sentences_and_embeddings_hold_for_what_is_right_only(spark: SparkSession) -> None:
    sentences, embeddings = rules.reasons(rules.SENTENCES), rules.reasons(rules.EMBEDDINGS)
    rows = spark.sql(
        f"""
        SELECT {sentences} AS sentences, {embeddings} AS embeddings
        FROM VALUES (0, false, 'A', 0, 1, array(0.6F, 0.8F)), (1, true, NULL, NULL, 0, NULL),
                    (2, false, NULL, 0, 1, NULL), (3, true, 'A', 0, 1, array(1F)), (4, false, 'A', 1, 1, array(0F, 0F)),
                    (5, false, 'A', -1, 1, array(CAST('NaN' AS FLOAT)))
        AS t(i, deleted, sentence, ordinal, n_sentences, vector) ORDER BY i
        """
    ).collect()
    present, within = rules.SENTENCES
    vector, length = rules.EMBEDDINGS
    assert [row.sentences for row in rows] == [[], [], [present], [present], [within], [within]]
    assert [row.embeddings for row in rows] == [[], [], [vector, length], [vector], [length], [length]]
