"""`demo`: edit one document, delete another, and see that only their records move."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.markup import escape

from local.commands import opened, run_once, run_tasks
from local.options import Source
from local.screen import Screen
from pipelines.errors import SourceError
from pipelines.settings import load_settings
from pipelines.sql import sql_string
from pipelines.state import State

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from local.commands import Context
    from pipelines.settings import Settings

_ADDED = "\n\nThis sentence was added by the demo."


def demo(context: Context) -> None:
    """Bring the index up to date, change two documents in the source table (not in the source), and run again.

    Of a small index the deleted document may be a large share, which is no mistake here.

    Raises:
        SourceError: fewer than two documents to show it with.
    """
    source = Source.of(context.home, None, {})
    screen = Screen()
    with opened(replace(context, chosen={**context.chosen, "max_delete_ratio": "1"}), source, screen) as job:
        before = run_once(job, source, screen)
        settings = load_settings(job.parameters)
        deleted, edited = two_documents(job.spark, settings)
        with screen.stage("edit", f"Edit {edited}, delete {deleted}"):
            edit(job.spark, settings, edited, deleted)
        after = run_tasks(job, screen)
    print_ = screen.console.print
    print_(f"\nThe index held {before.n_records:,} records of {before.n_documents:,} documents. Then, in the source:")
    print_(f"  [cyan]{escape(edited)}[/] got one more sentence, [cyan]{escape(deleted)}[/] was deleted.")
    print_(f"Through the model went {after.n_embedded:,} new sentences; what else the edited document says was known.")
    print_(
        f"[bold]{after.n_upserted:,} records were written, {after.n_deleted:,} deleted; {after.n_unchanged:,} stayed "
        f"as they were[/], in {after.n_requests:,} requests."
    )
    print_(f"\nThe next `{escape(context.command('run'))}` mirrors the source again, and puts both documents back.")


def two_documents(spark: SparkSession, settings: Settings) -> tuple[str, str]:
    """Choose the two documents with the fewest records.

    Raises:
        SourceError: the namespace holds fewer than two.
    """
    held = State(spark, settings).held().where("NOT deleted AND size(payload_hashes) > 0")
    rows = held.selectExpr("source_id", "size(payload_hashes) AS n").orderBy("n", "source_id").limit(2).collect()
    if len(rows) < 2:  # noqa: PLR2004  # one to edit, one to delete
        raise SourceError(f"the demo needs two documents, the index holds {len(rows)}: run with more")
    return rows[0].source_id, rows[1].source_id


def edit(spark: SparkSession, settings: Settings, edited: str, deleted: str) -> None:
    """Add a sentence to one document of the source table, and delete another."""
    # Literals, for Delta's UPDATE binds no parameters in Spark 4.2.
    id_column, text_column = f"`{settings.id_column}`", f"`{settings.text_column}`"
    longer = f"concat({text_column}, {sql_string(_ADDED)})"
    spark.sql(f"UPDATE {settings.source} SET {text_column} = {longer} WHERE {id_column} = {sql_string(edited)}")
    spark.sql(f"DELETE FROM {settings.source} WHERE {id_column} = {sql_string(deleted)}")
