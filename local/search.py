"""`search`: ask the index a question, and see the answers where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from local.options import Source, parameters
from local.screen import Screen
from local.serving import index_key
from pipelines.search import Question
from pipelines.search import search as answers_to
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from local.commands import Context
    from pipelines.search import Answer


def search(context: Context, question: str, top_k: int) -> None:
    """Print the best sentences, each between the ones before and after it. Needs no Spark.

    Raises:
        SettingsError: there is no question, or `top_k` is more than an index gives.
    """
    asked, screen = Question(question, top_k), Screen()
    source = Source.of(context.home, None, {})
    with context.index_url() as url:
        answers = answers_to(load_settings(parameters(source, context.chosen, url)), index_key(), asked)
    for answer in answers:
        _show(screen, answer)
    if not answers:
        screen.console.print(f"The index holds nothing yet: run `{escape(context.command('run'))}` first")


def _show(screen: Screen, answer: Answer) -> None:
    title = answer.metadata.get("title")
    name = answer.source_id + (f" ({title})" if title and title != answer.source_id else "")
    screen.console.print(f"[bold]{answer.score:.3f}  [cyan]{escape(name)}[/][/], sentence {answer.ordinal + 1}")
    around = (("    [dim]", answer.before), ("  > ", answer.sentence), ("    [dim]", answer.after))
    for margin, text in around:
        if text:
            screen.console.print(margin + escape(text))
    screen.console.print()
