"""The command line: `python -m local COMMAND`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local import REPOSITORY
from local.home import DEFAULT_HOME, Home
from local.options import ONCE, settings_of
from pipelines.errors import SettingsError, StreamingEmbeddingsError
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
        options.act(options)
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
    context = commands.Context(home, {**settings_of(options.set), **_chosen(options)}, options.pinecone)
    match options.command:
        case "run":
            json_file = Path(options.json) if options.json else None
            commands.run(context, options.source, options.full_refresh, json_file)
        case "plan":
            commands.plan(context)
        case "sync":
            commands.sync(context)
        case "reconcile":
            commands.reconcile(context)
        case "forget":
            commands.forget(context)
        case "health":
            from local.health import health  # noqa: PLC0415

            health(context)
        case "search":
            from local.search import search  # noqa: PLC0415

            search(context, options.question, options.top_k)
        case "demo":
            from local.demo import demo  # noqa: PLC0415

            demo(context)


def _smoke(options: argparse.Namespace) -> None:
    from local.smoke import smoke  # noqa: PLC0415

    chosen = {"profile": options.profile, "warehouse_id": options.warehouse_id}
    smoke(options.target, **chosen, timeout_s=options.timeout_s, poll_s=options.poll_s)


def _check_bundle(options: argparse.Namespace) -> None:
    from local.bundle.sources import Sources  # noqa: PLC0415

    try:
        from local.bundle.check import check  # noqa: PLC0415
    except ModuleNotFoundError as error:  # an extra of its own, for its licence
        raise SettingsError(f"{error.name} is not installed: run `make check-bundle`, which installs it") from None
    sources = Sources.read(Path(options.folder))
    findings = check(sources)
    files = f"{len(sources.files)} files for targets {', '.join(sources.targets)}"
    for finding in findings:
        print(finding)
    if findings:
        raise SettingsError(f"{len(findings)} findings in {files}")
    print(f"no findings in {files}")


def _chosen(options: argparse.Namespace) -> dict[str, str]:
    """Read the settings that have a flag of their own."""
    given = {name: getattr(options, name, None) for name in ONCE}
    chosen = {name: str(value).lower() if value is True else str(value) for name, value in given.items() if value}
    if getattr(options, "undo", False) and "forget" in chosen:
        chosen["allow_back"] = chosen.pop("forget")
    return chosen


def _parser() -> argparse.ArgumentParser:
    home = argparse.ArgumentParser(add_help=False)
    home.add_argument("--home", default=DEFAULT_HOME, metavar="DIR", help="folder that keeps everything (%(default)s)")
    shared = argparse.ArgumentParser(add_help=False, parents=[home])
    shared.add_argument("--pinecone", action="store_true", help="the real service; needs PINECONE_API_KEY")
    shared.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, such as id_column=key; repeatable"
    )
    writing = argparse.ArgumentParser(add_help=False)
    writing.add_argument("--adopt", action="store_true", help="take over an index that is full and has no state here")
    writing.add_argument("--retry-dead-letters", action="store_true", help="send again what the index refused")
    for name, what in (("delete", "may be deleted"), ("dead-letter", "may be refused")):
        writing.add_argument(f"--max-{name}-ratio", metavar="R", help=f"largest share of records that {what}")
    parser = argparse.ArgumentParser(prog="python -m local", description="Run the whole bundle on this machine.")
    parser.set_defaults(act=_dispatch)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", parents=[shared, writing], help="documents in, searchable index out")
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

    commands.add_parser("plan", parents=[shared, writing], help="what a sync would do; writes nothing")
    commands.add_parser("sync", parents=[shared, writing], help="write to the index what the tables say")

    reconcile = commands.add_parser("reconcile", parents=[shared], help="compare the index, record by record")
    reconcile.add_argument("--repair", action="store_true", help="mend what differs, by a sync")
    reconcile.add_argument("--delete-foreign", action="store_true", help="delete what is none of ours")
    reconcile.add_argument("--max-delete-ratio", metavar="R", help="largest share of records that may be deleted")

    forget = commands.add_parser("forget", parents=[shared], help="take one document out, and keep it out")
    forget.add_argument("forget", metavar="SOURCE_ID", help="its id in the source")
    forget.add_argument("--undo", action="store_true", help="let it in again")

    commands.add_parser("health", parents=[shared], help="the dashboard's numbers for this home")

    search = commands.add_parser("search", parents=[shared], help="ask the index a question")
    search.add_argument("question")
    search.add_argument("--top-k", type=int, default=5, metavar="N", help="answers to show (%(default)s)")

    checked = commands.add_parser("check-bundle", help="what is wrong with the Databricks bundle, without a workspace")
    checked.add_argument("folder", nargs="?", default=REPOSITORY, metavar="DIR", help="by default this repository")
    checked.set_defaults(act=_check_bundle)

    commands.add_parser("demo", parents=[shared], help="edit one document, delete another, see what moves")

    smoke = commands.add_parser("smoke", help="run the job deployed to Databricks, and check what came of it")
    smoke.add_argument("--target", default="dev", metavar="T", help="target of the bundle (%(default)s)")
    smoke.add_argument("--profile", metavar="NAME", help="of ~/.databrickscfg; by default what the environment says")
    smoke.add_argument("--warehouse-id", metavar="ID", help="SQL warehouse that reads the tables; the first by default")
    smoke.add_argument("--timeout-s", type=float, default=3600, metavar="S", help="longest run (%(default)s)")
    smoke.add_argument("--poll-s", type=float, default=5, metavar="S", help="time between two looks (%(default)s)")
    smoke.set_defaults(act=_smoke)
    return parser
