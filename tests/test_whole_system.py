"""Documents in, index out, through the notebooks: a history ends where one fresh run on its last input does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from local.index_server import IndexServer
from local.job import Job
from local.options import Source, parameters
from local.session import N_CORES
from pipelines.ids import doc_id
from pipelines.model import find_model
from pipelines.sentences import split_sentences
from pipelines.state_tables import STATE_TABLES
from pipelines.tables import DOCUMENTS, DOCUMENTS_QUARANTINE, EMBEDDINGS, RAW, SENTENCES
from pipelines.text import clean_text, has_sentence
from pipelines.tokenizer import load_tokenizer
from pipelines.window import split_to_window
from tests.whole_world import KEY, Documents, World, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from local.figures import Figures

pytestmark = pytest.mark.long

LONG = " ".join(["word", "river", "stone", "light"] * 2_500)  # one sentence, far longer than the model's window
FIRST: Documents = {
    "edited": "The first stays. The second changes. The third stays.",
    "shortened": "One is kept. Two goes. Three goes too.",
    "deleted": "This one is going to leave.",
    "blank": " \n\t ",
    "null": None,
    "separators": "||||| \n ||||| NEWLINE_CHAR",
    "long": LONG,
    "surrogate \ud800 id": "A lone \ud800 surrogate. It is no character.",
    None: "A text that belongs to nobody.",
    "binary": "\ufffd" * 60,
}
SECOND: Documents = {
    **{source_id: text for source_id, text in FIRST.items() if source_id not in ("deleted", "long")},
    "edited": "The first stays. The second has changed. The third stays.",
    "shortened": "One is kept.",
    "blank": "Blank no more.",
    "inserted": "A new one. It has two sentences.",
}
ODD: Documents = {source_id: text for source_id, text in SECOND.items() if source_id not in ("binary", "blank")}
ODD |= {"inserted": None, "late": "Came last.", "edited": "Quite another. The first stays."}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    with IndexServer(tmp_path_factory.mktemp("index"), api_key=KEY, port=0, home_id="whole-system") as running:
        yield running


@pytest.fixture(scope="module")
def history(spark: SparkSession, server: IndexServer, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("history")
    file = folder / "documents.jsonl"
    chosen = {
        "schema": "history",
        "source_table": "history.source",
        "namespace": "history",
        "metadata_columns": "title",
        "max_delete_ratio": "1",
    }
    job = Job(spark, parameters(Source(file, {}), chosen, server.url), folder / "checkpoints", KEY)
    return World(job, file, server)


@pytest.fixture(scope="module")
def first(history: World) -> Figures:
    return history.run(FIRST)


def consistent(world: World, figures: Figures, documents: Documents) -> dict[str, tuple[dict[str, Any], bytes]]:
    """Check that the index holds just what the documents say; return its contents."""
    contents = world.contents()
    assert texts(contents) == expected(documents)
    for metadata, vector in contents.values():
        assert world.vectors.setdefault(metadata["text"], vector) == vector
    assert figures.n_read == figures.n_kept + figures.n_withdrawn + figures.n_quarantined
    assert figures.n_records == figures.n_sentences == len(contents)
    assert figures.n_pending == 0
    for name, (metadata, _) in contents.items():
        assert name == f"{metadata['doc_id']}#{int(metadata['ordinal'])}"
        assert metadata["doc_id"] == doc_id(metadata["source_id"])
    return contents


def expected(documents: Documents) -> dict[str, list[str]]:
    """Say, without tables, which sentences the index must hold of which document."""
    tokenizer, found = load_tokenizer(find_model(None).folder), {}
    for source_id, text in documents.items():
        document = clean_text(text)
        if source_id is None or source_id == "binary" or not has_sentence(document):
            continue
        found[source_id.replace("\ud800", "\ufffd")] = [
            piece.text
            for sentence in split_sentences(document)
            for piece in split_to_window(sentence, tokenizer, find_model(None).max_tokens)
        ]
    return found


def test_a_first_run_keeps_withdraws_or_quarantines_every_row(
    history: World, first: Figures, spark: SparkSession
) -> None:
    found = texts(consistent(history, first, FIRST))
    assert (first.n_read, first.n_kept, first.n_withdrawn, first.n_quarantined) == (10, 5, 3, 2)
    assert first.n_embedded + first.n_served == first.n_upserted == first.n_records
    n_distinct = len({text for sentences in found.values() for text in sentences})
    assert n_distinct <= first.n_embedded <= N_CORES * n_distinct < first.n_records
    assert found.keys() == {"edited", "shortened", "deleted", "long", "surrogate \ufffd id"}
    assert found["surrogate \ufffd id"] == ["A lone \ufffd surrogate.", "It is no character."]
    assert " ".join(found["long"]) == LONG
    refused = spark.table(history.table("documents_quarantine")).collect()
    assert {(row.id, tuple(row.reasons)) for row in refused} == {
        (None, ("id_is_present",)),
        ("binary", ("text_is_readable",)),
    }
    assert {rule: n for rule, n in first.n_refused.items() if n} == {"id_is_present": 1, "text_is_readable": 1}


def test_columns_that_nobody_chose_never_leave_raw(history: World, first: Figures, spark: SparkSession) -> None:
    assert "summary" in spark.table(history.table("raw")).columns
    for name in ("documents", "sentences", "embeddings"):
        table = spark.table(history.table(name))
        assert "summary" not in table.columns
        assert "SECRET" not in str(table.drop("vector").collect())
    assert {"text", "doc_id", "source_id", "ordinal", "title"} == {
        key for m, _ in history.contents().values() for key in m
    }
    assert first.n_records


@pytest.mark.usefixtures("first")
def test_tables_and_columns_have_comments_and_tables_a_quality(history: World, spark: SparkSession) -> None:
    for table in (RAW, DOCUMENTS, DOCUMENTS_QUARANTINE, SENTENCES, EMBEDDINGS, *STATE_TABLES):
        name = history.table(table.name)
        comments = {row.col_name: row.comment for row in spark.sql(f"DESCRIBE {name}").collect()}
        assert {column: comments[column] for column in table.columns} == {
            column: comment for column, (_, comment) in table.columns.items()
        }
        assert all(comments[column] for column in table.columns), name
        properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
        assert table.properties.items() <= properties.items()
        assert spark.sql(f"DESCRIBE DETAIL {name}").collect()[0].description == table.comment


@pytest.mark.usefixtures("first")
def test_any_history_ends_like_one_fresh_run(history: World) -> None:
    before = history.contents()
    changed = history.run(SECOND)
    after = consistent(history, changed, SECOND)
    # One sentence of `edited`, one of `blank`, two of `inserted`; the tail of `shortened`, all of `deleted` and `long`.
    n_long = len(expected(FIRST)["long"])
    assert (changed.n_upserted, changed.n_deleted) == (4, 3 + n_long)
    assert changed.n_unchanged == len(before) - 4 - n_long
    assert {name: record for name, record in after.items() if before.get(name) == record}.keys() == (
        before.keys() & after.keys() - {f"{doc_id('edited')}#1"}
    )

    again = history.run(SECOND, ["documents_quarantine"])
    assert (again.n_embedded, again.n_requests, again.n_upserted, again.n_deleted) == (0, 0, 0, 0)
    assert consistent(history, again, SECOND) == after

    lines: list[str] = []
    history.job.reconcile(lines.append)
    assert lines == ["found: 0 orphan, 0 missing, 0 changed, 0 stale, 0 pending, 0 foreign"]
    forgetful = replace(history.job, parameters={**history.job.parameters, "forget": "edited"})
    forgetful.prepare(lines.append)
    assert lines[1:] == ["document edited is out and kept out: 3 records deleted, and the index lists none"]
    assert texts(history.contents()).keys() == expected(SECOND).keys() - {"edited"}
    replace(history.job, parameters={**history.job.parameters, "allow_back": "edited"}).prepare()

    # `raw` is emptied before it sees this delete: only the source can prove it.
    not_blank = {source_id: text for source_id, text in SECOND.items() if source_id != "blank"}
    steps: list[tuple[Documents, list[str] | None, int]] = [
        (not_blank, ["raw"], 0),
        (ODD, ["documents"], 2),  # the two that are new go through the model, and nothing else
        (not_blank, ["sentences", "embeddings"], 0),
    ]
    for documents, full_refresh, n_new in steps:
        done = history.run(documents, full_refresh)
        consistent(history, done, documents)
        assert done.n_embedded == n_new

    # Back to the first documents, of which one fresh run made `before`.
    last = history.run(FIRST, [])
    assert consistent(history, last, FIRST) == before
    assert (last.n_embedded, last.n_served) == (0, last.n_records)
