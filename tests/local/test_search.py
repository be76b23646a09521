"""Questions to a real index server, filled by hand, with the real model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import pytest

from local.commands import Context
from local.home import Home
from local.notebook import run_notebook
from local.options import Source, parameters
from local.search import search
from local.serving import index_key, index_url, serve
from pipelines import search as search_module
from pipelines.embedder import Embedder
from pipelines.errors import SettingsError, VectorIndexError
from pipelines.ids import doc_id, record_id
from pipelines.index import VectorIndex
from pipelines.record import Record
from pipelines.search import Question, as_text
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

DOCUMENTS = {
    "cats.md": (
        "Cats are kept in many homes.",
        "A cat sleeps for most of the day.",
        "It hunts [mice] at dusk.",
    ),
    "rockets.txt": ("A rocket burns its fuel within minutes.", "Most of its mass is propellant."),
}
TITLES = {"cats.md": "About cats", "rockets.txt": "rockets.txt"}


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture
def one_model(embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load the model once for all searches."""
    monkeypatch.setattr(search_module, "Embedder", lambda *_arguments: embedder)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Context]:
    """Give a home whose index is served and holds `DOCUMENTS`."""
    context = Context(Home.at(tmp_path_factory.mktemp("search")), {}, pinecone=False)
    with serve(context.home, port=0) as server:
        with index_at(server.url) as index:
            index.ensure(embedder.dimension)
            for source_id in DOCUMENTS:
                index.upsert(records(embedder, source_id))
        yield context


def index_at(url: str) -> VectorIndex:
    return VectorIndex(load_settings(parameters(Source(None, {}), {}, url)), index_key())


def records(embedder: Embedder, source_id: str) -> list[Record]:
    """Make a document's records as the pipeline does."""
    document, sentences = doc_id(source_id), DOCUMENTS[source_id]
    common = {"doc_id": document, "source_id": source_id, "title": TITLES[source_id]}
    return [
        Record(
            record_id(document, ordinal), vector, json.dumps({**common, "text": sentences[ordinal], "ordinal": ordinal})
        )
        for ordinal, vector in enumerate(embedder.encode(list(sentences)))
    ]


def answers(context: Context, capsys: pytest.CaptureFixture[str], question: str, top_k: int) -> list[str]:
    """Lines of one search, blank ones left out."""
    search(context, question, top_k)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]


@pytest.mark.usefixtures("one_model")
def test_an_answer_is_its_score_and_source_and_the_sentence_between_its_neighbours(
    served: Context, embedder: Embedder, capsys: pytest.CaptureFixture[str]
) -> None:
    question = "How long do cats sleep?"
    asked, answer = embedder.encode([question, DOCUMENTS["cats.md"][1]])
    assert answers(served, capsys, question, 1) == [
        f"{asked @ answer:.3f}  cats.md (About cats), sentence 2",
        f"    {DOCUMENTS['cats.md'][0]}",
        f"  > {DOCUMENTS['cats.md'][1]}",
        f"    {DOCUMENTS['cats.md'][2]}",  # brackets in a text are no markup
    ]


@pytest.mark.usefixtures("one_model")
def test_the_notebook_answers_with_the_metadata_that_was_chosen(served: Context) -> None:
    with index_url(served.home) as url:
        chosen = parameters(Source(None, {}), {"question": "How long do cats sleep?", "top_k": "1"}, url)
        no_spark = cast("SparkSession", None)  # a question needs none
        said = run_notebook("search", no_spark, chosen, {"pinecone_api_key": index_key()})
    assert said is not None
    heading, *lines = said.splitlines()
    assert heading.endswith("  cats.md (title About cats), sentence 2")
    assert lines == [
        f"    {DOCUMENTS['cats.md'][0]}",
        f"  > {DOCUMENTS['cats.md'][1]}",
        f"    {DOCUMENTS['cats.md'][2]}",
    ]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"top_k": "3"}, "question is empty"),
        ({"question": "cats", "top_k": "many"}, "top_k is 'many'; allowed is 1 to 10000"),
        ({"question": "cats"}, "setting source_table is missing"),
    ],
)
def test_a_notebook_without_a_question_says_so(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Question.among(parameters)


def test_no_answers_are_said_in_words() -> None:
    assert as_text([]) == "The index holds nothing yet: run the job first"


@pytest.mark.usefixtures("one_model")
def test_a_title_that_says_no_more_than_the_id_is_left_out_and_so_is_a_neighbour_that_is_not_there(
    served: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    heading, *lines = answers(served, capsys, "What does a rocket burn?", 1)
    assert heading.endswith("  rockets.txt, sentence 1")
    assert lines == [f"  > {DOCUMENTS['rockets.txt'][0]}", f"    {DOCUMENTS['rockets.txt'][1]}"]


@pytest.mark.usefixtures("one_model")
def test_the_best_answer_comes_first_and_there_are_no_more_than_asked_for(
    served: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = answers(served, capsys, "What is a rocket made of?", 3)
    headings = [line for line in lines if ", sentence " in line]
    scores = [float(heading.split()[0]) for heading in headings]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert "rockets.txt" in headings[0]


def test_a_search_starts_the_server_where_none_runs_and_finds_what_was_kept(
    tmp_path: Path, embedder: Embedder, capsys: pytest.CaptureFixture[str]
) -> None:
    context = Context(Home.at(tmp_path), {}, pinecone=False)
    with serve(context.home, port=0) as server, index_at(server.url) as index:
        index.ensure(embedder.dimension)
        index.upsert(records(embedder, "cats.md"))
    assert "cats.md (About cats)" in answers(context, capsys, "cats", 1)[0]
    assert not context.home.port_file.exists()


@pytest.mark.usefixtures("one_model")
def test_a_namespace_with_nothing_in_it_says_what_to_run(served: Context, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = Context(served.home, {"namespace": "empty"}, pinecone=False)
    assert answers(elsewhere, capsys, "cats", 1) == [
        f"The index holds nothing yet: run `{elsewhere.command('run')}` first"
    ]


@pytest.mark.usefixtures("one_model")
def test_an_index_that_was_never_made_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        VectorIndexError,
        match=r"^index local failed with status 404, .*a first run creates the index, else check index_name$",
    ):
        search(Context(Home.at(tmp_path), {}, pinecone=False), "cats", 1)


@pytest.mark.parametrize(
    ("question", "top_k", "message"), [(" ", 1, "is empty"), ("q", 0, "1 to 10000"), ("q", 10_001, "1 to")]
)
def test_what_cannot_be_searched_is_said_before_anything_starts(
    tmp_path: Path, question: str, top_k: int, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        search(Context(Home.at(tmp_path), {}, pinecone=False), question, top_k)
    assert list(tmp_path.iterdir()) == []
