"""`search`: ask the index a question, and see the answers where they stand."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from rich.markup import escape

from local.options import Source, parameters
from local.screen import Screen
from local.serving import index_key, index_url
from pipelines.embedder import Embedder
from pipelines.ids import record_id
from pipelines.index import VectorIndex
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from local.commands import Context
    from pipelines.index import Match


def search(context: Context, question: str, top_k: int) -> None:
    """Print the best sentences, each between the ones before and after it. Needs no Spark."""
    screen = Screen()
    source = Source.of(context.home, None, {})
    with nullcontext(None) if context.pinecone else index_url(context.home) as url:
        n_found = _search(screen, question, top_k, parameters(source, context.chosen, url))
    if not n_found:
        screen.console.print(f"The index holds nothing yet: run `{escape(context.home.command('run'))}` first")


def _search(screen: Screen, question: str, top_k: int, chosen: dict[str, str]) -> int:
    """Print the answers; return how many there are."""
    settings = load_settings(chosen)
    vector = Embedder(settings.model_path or None, settings.precision).encode([question])[0]
    with VectorIndex(settings, index_key()) as index:
        matches = index.query(vector, top_k)
        around = {near for match in matches for near in _neighbours(match)}
        texts = (
            {found: str(metadata["text"]) for found, metadata in index.fetch(sorted(around)).items()} if around else {}
        )
    for match in matches:
        before, after = (escape(texts.get(near, "")) for near in _neighbours(match))
        title = match.metadata.get("title")
        name = f"{match.metadata['source_id']}" + (
            f" ({title})" if title and title != match.metadata["source_id"] else ""
        )
        screen.console.print(f"[bold]{match.score:.3f}  [cyan]{escape(name)}[/]  #{int(match.metadata['ordinal'])}")
        screen.console.print(f"  [dim]{before}[/] [bold]{escape(str(match.metadata['text']))}[/] [dim]{after}\n")
    return len(matches)


def _neighbours(match: Match) -> tuple[str, str]:
    """Ids of the sentence before and the one after, be they there or not."""
    doc_id, ordinal = str(match.metadata["doc_id"]), int(match.metadata["ordinal"])
    return record_id(doc_id, ordinal - 1), record_id(doc_id, ordinal + 1)
