"""What a row must satisfy to pass: one dict per table, a name that reads as a fact to a SQL condition.

The same dict is the expectation that drops and counts, the quarantine's filter and reasons, and the dashboard's rows.
Only `documents` drops. A sentence that was dropped further down would leave its version incomplete for ever.

A delete is never subject to a rule about content (`deleted OR ...`): what cannot be read can still be withdrawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENTS: Mapping[str, str] = {
    "id_is_present": r"source_id IS NOT NULL AND source_id RLIKE '\\S'",
    "version_is_present": "version IS NOT NULL",
    # U+FFFD stands where bytes were no text; a tenth of them is a binary file, not a typing error.
    "text_is_readable": r"deleted OR length(replace(document, '\uFFFD', '')) >= 0.9 * length(document)",
    # Pinecone takes 40 KB of metadata a record, the source's id among it; the sentence needs its share.
    "metadata_is_under_30_kb": "deleted OR octet_length(concat_ws('', metadata, source_id)) < 30 * 1024",
}

SENTENCES: Mapping[str, str] = {
    "sentence_is_present_unless_deleted": "deleted = (sentence IS NULL)",
    "ordinal_is_within_document": "deleted OR (ordinal >= 0 AND ordinal < n_sentences)",
}

EMBEDDINGS: Mapping[str, str] = {
    "vector_is_present_unless_deleted": "deleted = (vector IS NULL)",
    # Not its length, which is 1 only where the model scales it so. NaN compares as greater than every number.
    "vector_is_finite_and_not_zero": (
        "deleted OR aggregate(vector, 0D, (sum, x) -> sum + x * x) BETWEEN 1e-12 AND 1e12"
    ),
}


def holds(rules: Mapping[str, str]) -> str:
    """SQL condition: every rule holds. A rule that gives NULL does not hold."""
    return " AND ".join(f"coalesce({condition}, false)" for condition in rules.values())


def reasons(rules: Mapping[str, str]) -> str:
    """SQL expression: the names of the rules that do not hold, as an array of strings."""
    names = ", ".join(f"if(coalesce({condition}, false), NULL, '{name}')" for name, condition in rules.items())
    return f"array_compact(array({names}))"
