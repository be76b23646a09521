"""The command line: `python -m local COMMAND`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.home import DEFAULT_HOME, Home
from local.options import settings_of
from pipelines.errors import StreamingEmbeddingsError
from pipelines.tables import PIPELINE_TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAILED, _INTERRUPTED = 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the process's exit status.

    What we raise on purpose is one line on stderr. Anything else is a fault of ours and keeps its traceback.
    """
    options = _parser().parse_args(arguments)
    try:
        _dispatch(options)
    except StreamingEmbeddingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        print("stopped; the next run goes on from here", file=sys.stderr)
        return _INTERRUPTED
    return 0


def _dispatch(options: argparse.Namespace) -> None:
    home = Home.at(options.home)
    # Spark, torch and the SDK take seconds to import: each command only what it needs, and `--help` none.
    from local import commands  # noqa: PLC0415

    if options.command == "serve":
        commands.serve_index(home, options.port)
        return
    context = commands.Context(home, settings_of(options.set), options.pinecone)
    match options.command:
        case "run":
            json_file = Path(options.json) if options.json else None
            commands.run(context, options.source, options.full_refresh, json_file)
        case "plan":
            commands.plan(context)
        case "sync":
            commands.sync(context)
        case "search":
            from local.search import search  # noqa: PLC0415

            search(context, options.question, options.top_k)
        case "demo":
            from local.demo import demo  # noqa: PLC0415

            demo(context)


def _parser() -> argparse.ArgumentParser:
    home = argparse.ArgumentParser(add_help=False)
    home.add_argument("--home", default=DEFAULT_HOME, metavar="DIR", help="folder that keeps everything (%(default)s)")
    shared = argparse.ArgumentParser(add_help=False, parents=[home])
    shared.add_argument("--pinecone", action="store_true", help="the real service; needs PINECONE_API_KEY")
    shared.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, such as id_column=key; repeatable"
    )
    parser = argparse.ArgumentParser(prog="python -m local", description="Run the whole bundle on this machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", parents=[shared], help="documents in, searchable index out")
    run.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="folder of .txt and .md, a .jsonl, .csv or .parquet file, or a Delta table's folder; "
        "by default the one of the last run, else Python's documentation",
    )
    run.add_argument(
        "--full-refresh",
        nargs="*",
        choices=PIPELINE_TABLES,
        metavar="TABLE",
        help="empty these tables and fill them again (%(choices)s); all, if none is named",
    )
    run.add_argument("--json", metavar="FILE", help="write the run's figures there too")

    serve = commands.add_parser("serve", parents=[home], help="the index server alone")
    serve.add_argument("--port", type=int, default=0, metavar="N", help="a free one by default")

    commands.add_parser("plan", parents=[shared], help="what a sync would do; writes nothing")
    commands.add_parser("sync", parents=[shared], help="write to the index what the tables say")

    search = commands.add_parser("search", parents=[shared], help="ask the index a question")
    search.add_argument("question")
    search.add_argument("--top-k", type=int, default=5, metavar="N", help="answers to show (%(default)s)")

    commands.add_parser("demo", parents=[shared], help="edit one document, delete another, see what moves")
    return parser
