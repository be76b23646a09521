"""Documents that differ: streamed with what they should hold, cut into windows, and noted in the state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import documents
from pipelines.documents import Document, id_ranges, query_sizes, read_documents, windows
from pipelines.ids import TOMBSTONE_HASH
from pipelines.tables import EMBEDDINGS
from tests.pipelines.scene import MODEL, NOON, Version

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CHANGE = {
    "doc_id": "d",
    "status": "write",
    "head_known": True,
    "source_id": "s",
    "version": 2,
    "document_hash": "new",
    "recipe": "r",
    "model": "m",
    "changed_at": NOON,
    "held_source_id": "s",
    "held_version": 1,
    "held_recipe": "r0",
    "held_changed_at": None,
    "held": ["a", "b", "c", None],
    "held_deleted": False,
}


def test_before_a_request_nothing_is_known_of_what_it_touches_and_after_the_answer_all_is() -> None:
    document = Document(CHANGE, ["a", "x"])
    intent, done = document.intent_row(document.plan()), document.done_row()
    assert (intent["document_hash"], intent["payload_hashes"]) == (None, ["a", None, None, None])
    assert (done["document_hash"], done["payload_hashes"]) == ("new", ["a", "x"])
    assert intent | done == done
    assert (done["version"], done["model"], done["deleted"]) == (2, "m", False)


def test_a_document_without_rows_is_noted_as_deleted_with_what_was_held() -> None:
    done = Document(CHANGE | {"status": "delete", "head_known": False, "version": None, "recipe": None}).done_row()
    assert (done["document_hash"], done["payload_hashes"], done["deleted"]) == (TOMBSTONE_HASH, [], True)
    assert (done["version"], done["recipe"], done["model"], done["changed_at"]) == (1, "r0", None, None)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20), st.integers(1, 12))
def test_windows_keep_order_and_only_a_longer_document_is_over_their_size(sizes: list[Any], n_records: int) -> None:
    given = [Document(CHANGE | {"held": ["h"] * n_held}, ["h"] * n_wanted) for n_wanted, n_held in sizes]
    cut = list(windows(given, n_records))
    assert [one for window in cut for one in window] == given
    for window in cut:
        assert len(window) == 1 or sum(max(len(one.hashes), len(one.held), 1) for one in window) <= n_records


def test_the_first_windows_are_small_and_the_others_are_full() -> None:
    given = [Document(CHANGE | {"held": []}, ["h"]) for _ in range(100)]
    assert [len(window) for window in windows(given, 32)] == [4, 8, 16, 32, 32, 8]


@pytest.fixture(scope="module")
def frames(spark: SparkSession) -> tuple[DataFrame, DataFrame]:
    """A log with rows doubled, older and rival versions, and what became of its documents."""
    short = Version("p", 1, ("One.", "Two."))
    long = replace(short, version=2, sentences=(*"abcdefghijkl",))
    rival = replace(long, recipe="another")
    gone = Version("q", 1, ("Gone.",))
    versions = (short, long, long, rival, gone, Version("same", 1, ("As held.",)))
    rows = [row for version in versions for row in version.rows("r")]
    embeddings = spark.createDataFrame(rows, EMBEDDINGS.ddl())
    changes = spark.createDataFrame(
        [
            (long.doc_id, "write", 0, 2, "r", _hash(long), 12, ["x", "y", None]),
            (gone.doc_id, "delete", 0, 1, "r", _hash(gone), 1, ["z"]),
            ("never written", "delete", None, None, None, None, None, None),
            (versions[-1].doc_id, "same", 0, 1, "r", _hash(versions[-1]), 1, ["w"]),
        ],
        "doc_id STRING, status STRING, source_epoch INT, version BIGINT, recipe STRING, document_hash STRING, "
        "n_sentences INT, held ARRAY<STRING>",
    )
    return embeddings, changes


def _hash(version: Version) -> str:
    return str(version.rows("r")[0][list(EMBEDDINGS.columns).index("document_hash")])


def test_many_are_read_by_several_queries_and_each_document_once(
    frames: tuple[DataFrame, DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {one.doc_id: one.hashes for one in read_documents(*frames, with_records=False)}
    monkeypatch.setattr(documents, "RECORDS_AT_FIRST", 4)
    monkeypatch.setattr(documents, "RECORDS_A_QUERY", 4)
    parts = [(one.doc_id, one.hashes) for one in read_documents(*frames, n_records=12, with_records=True)]
    assert len(parts) == len(whole) == 3
    assert dict(parts) == whole


def test_ranges_of_ids_leave_nothing_out() -> None:
    assert id_ranges([0]) == id_ranges([7]) == ["true AND true"]
    assert id_ranges([9, 9, 9]) == [
        "true AND doc_id < '5555'",
        "doc_id >= '5555' AND doc_id < 'aaaa'",
        "doc_id >= 'aaaa' AND true",
    ]
    assert id_ranges([1, 3]) == ["true AND doc_id < '4000'", "doc_id >= '4000' AND true"]


@pytest.mark.parametrize(
    ("n_records", "small_first", "sizes"),
    [
        (0, True, [0]),
        (100_000, True, [100_000]),
        (100_002, True, [50_000, 50_002]),
        (250_000, True, [50_000, 200_000]),
        (250_002, True, [50_000, 100_001, 100_001]),
        (0, False, [0]),
        (200_000, False, [200_000]),
        (200_002, False, [100_001, 100_001]),
    ],
)
def test_no_query_is_large_and_the_first_of_several_may_be_small(
    n_records: int, small_first: bool, sizes: list[int]
) -> None:
    assert query_sizes(n_records, small_first=small_first) == sizes


@pytest.mark.parametrize("with_records", [True, False])
def test_each_document_comes_once_in_order_with_its_own_version_only(
    frames: tuple[DataFrame, DataFrame], with_records: bool
) -> None:
    found = {one.change["doc_id"]: one for one in read_documents(*frames, with_records=with_records)}
    wanted = Version("p", 2, (*"abcdefghijkl",))
    gone = Version("q", 1).doc_id
    assert found.keys() == {wanted.doc_id, gone, "never written"}
    written, deleted = found[wanted.doc_id], found[gone]
    assert (written.held, deleted.held, found["never written"].held) == (("x", "y", None), ("z",), ())
    assert (
        len(written.hashes) == len(set(written.hashes)) == 12
    )  # the model, the text and the ordinal make each its own
    assert (deleted.hashes, deleted.records) == ([], [])
    records = {one.id: (one.values.tobytes(), one.metadata) for one in written.records}
    assert records == (wanted.records() if with_records else {})
    assert list(records) == list(wanted.records())[: len(records)]


def test_a_payload_is_another_when_text_metadata_or_model_is_and_not_when_the_vector_is(spark: SparkSession) -> None:
    base = Version("p", 1, ("One.",))
    others = [base, replace(base, sentences=("Two.",)), replace(base, title="another"), replace(base, model="other")]
    rows = [row for i, one in enumerate(others) for row in replace(one, source_id=f"{i}").rows("r")]
    assert MODEL != "other"
    embeddings = spark.createDataFrame(rows, EMBEDDINGS.ddl()).selectExpr("* EXCEPT (metadata)", _SAME_PLACE)
    negated = embeddings.selectExpr("* EXCEPT (vector)", "transform(vector, x -> -x) AS vector")
    head = ("doc_id", "source_epoch", "version", "recipe", "document_hash", "n_sentences")
    changes = embeddings.selectExpr(*head, "'write' AS status", "CAST(NULL AS ARRAY<STRING>) AS held")
    hashes = {one.change["doc_id"]: one.hashes for one in read_documents(embeddings, changes, with_records=False)}
    assert len({tuple(one) for one in hashes.values()}) == len(others)
    again = {one.change["doc_id"]: one.hashes for one in read_documents(negated, changes, with_records=True)}
    assert again == hashes


# The ids in the metadata are all that tells the documents apart; without them, only what the test varies does.
_SAME_PLACE = (
    "to_json(map_filter(from_json(metadata, 'map<string, string>'), (k, v) -> k IN ('text', 'title'))) AS metadata"
)
