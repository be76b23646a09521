"""`search`: ask the index a question, and see the answers where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from local.options import Source, parameters
from local.screen import Screen
from local.serving import index_key
from pipelines.embedder import Embedder
from pipelines.errors import SettingsError
from pipelines.ids import record_id
from pipelines.index import VectorIndex
from pipelines.reader import MAX_TOP_K, Reader
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from local.commands import Context
    from pipelines.reader import Match


def search(context: Context, question: str, top_k: int) -> None:
    """Print the best sentences, each between the ones before and after it. Needs no Spark.

    Raises:
        SettingsError: there is no question, or `top_k` is more than an index gives.
    """
    if not question.strip():
        raise SettingsError("the question is empty: ask in words")
    if not 1 <= top_k <= MAX_TOP_K:
        raise SettingsError(f"--top-k is {top_k}; allowed is 1 to {MAX_TOP_K}")
    screen = Screen()
    source = Source.of(context.home, None, {})
    with context.index_url() as url:
        n_found = _search(screen, question, top_k, parameters(source, context.chosen, url))
    if not n_found:
        screen.console.print(f"The index holds nothing yet: run `{escape(context.command('run'))}` first")


def _search(screen: Screen, question: str, top_k: int, chosen: dict[str, str]) -> int:
    """Print the answers; return how many there are."""
    settings = load_settings(chosen)
    vector = Embedder(settings.model_path or None, settings.precision).encode([question])[0]
    with VectorIndex(settings, index_key()) as index:
        reader = Reader(index, settings.namespace)
        matches = reader.query(vector, top_k)
        around = {near for match in matches for near in _neighbours(match)}
        texts = {name: str(found.metadata["text"]) for name, found in reader.fetch(sorted(around)).items()}
    for match in matches:
        before, after = (escape(texts.get(near, "")) for near in _neighbours(match))
        title = match.metadata.get("title")
        name = f"{match.metadata['source_id']}" + (
            f" ({title})" if title and title != match.metadata["source_id"] else ""
        )
        place = f"sentence {int(match.metadata['ordinal']) + 1}"
        screen.console.print(f"[bold]{match.score:.3f}  [cyan]{escape(name)}[/][/], {place}")
        for line in (f"    [dim]{before}", f"  > {escape(str(match.metadata['text']))}", f"    [dim]{after}"):
            if line.strip() != "[dim]":
                screen.console.print(line)
        screen.console.print()
    return len(matches)


def _neighbours(match: Match) -> tuple[str, str]:
    """Ids of the sentence before and the one after, be they there or not."""
    doc_id, ordinal = str(match.metadata["doc_id"]), int(match.metadata["ordinal"])
    return record_id(doc_id, ordinal - 1), record_id(doc_id, ordinal + 1)
