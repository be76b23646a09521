"""Queries of dashboards and alerts: the tables they name are ones that this deployment makes."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from local.bundle.finding import Finding
from local.bundle.project import beside
from local.bundle.sql_tables import tables_of
from local.bundle.yaml_file import no_json_object, read_yaml
from pipelines.state_tables import STATE_TABLES
from pipelines.tables import PIPELINE_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.bundle.bundle import Bundle
    from local.bundle.node import Node
    from local.bundle.project import Project

_TABLES = {*PIPELINE_TABLES, *(table.name for table in STATE_TABLES)}


def tables(project: Project) -> Iterator[Finding]:
    """A table that neither a notebook nor the sync makes."""
    files: dict[str, Node] = {}
    for bundle in project.bundles:
        for key, alert in bundle.resources("alerts").items():
            if node := alert.at("query_text"):
                yield from _wrong(bundle, f"alert {key}", node.text(), [node], has_schema=False)
        for key, dashboard in bundle.resources("dashboards").items():
            has_schema = bool(dashboard.text("dataset_catalog") and dashboard.text("dataset_schema"))
            file = _file(project, dashboard)
            if file is not None and file not in files:
                files[file], _ = read_yaml(project.root, file)  # JSON is YAML, and so has positions
            for dataset in files[file].items("datasets") if file is not None else ():
                who = f"dashboard {key}, dataset {dataset.text('displayName') or dataset.text('name')}"
                for query, lines in _queries(dataset):
                    yield from _wrong(bundle, who, query, lines, has_schema=has_schema)


def dashboards(project: Project) -> Iterator[Finding]:
    """A dashboard's file that is no JSON object."""
    for _, dashboard in project.resources("dashboards"):
        file = _file(project, dashboard)
        if file and (wrong := no_json_object(project.root, file, "correct it, or export it again")):
            yield wrong


def _file(project: Project, dashboard: Node) -> str | None:
    path = dashboard.at("file_path")
    return beside(path) if path is not None and (project.root / beside(path)).is_file() else None


def _queries(dataset: Node) -> Iterator[tuple[str, Sequence[Node]]]:
    """Give a dataset's query with the lines it stands in."""
    if lines := dataset.items("queryLines"):
        yield "".join(line.text() for line in lines), lines
    elif query := dataset.at("query"):
        yield query.text(), [query]


def _wrong(bundle: Bundle, who: str, query: str, lines: Sequence[Node], *, has_schema: bool) -> Iterator[Finding]:
    for *above, name in tables_of(query):
        place = next((line for line in lines if name in line.text()), lines[0])
        if _is_given(bundle, [*above, name]):
            continue
        if above and not _is_ours(bundle, above):
            what = f"{who} reads table {name} of a schema that this deployment does not make"
            yield Finding.at(place, what, "write ${var.catalog} and ${resources.schemas.NAME.name} in front of it")
        elif not above and not has_schema:
            what = f"{who} reads table {name} without saying of which schema"
            yield Finding.at(place, what, "write catalog and schema in front of it, or set dataset_catalog and _schema")
        elif name not in _TABLES:
            close = difflib.get_close_matches(name, _TABLES, n=1) or sorted(_TABLES)
            what = f"{who} reads table {name}, which no notebook and no sync makes"
            yield Finding.at(place, what, f"write {' or '.join(close)}")


def _is_ours(bundle: Bundle, above: list[str]) -> bool:
    schemas = [(node.text("catalog_name"), node.text("name")) for node in bundle.resources("schemas").values()]
    schemas += [(node.text("catalog"), node.text("schema")) for node in bundle.resources("pipelines").values()]
    return any(tuple(above) == schema[-len(above) :] for schema in schemas)


def _is_given(bundle: Bundle, name: list[str]) -> bool:
    """The source, and what a workspace has anyway."""
    sources = {bundle.parameters(job).get("source_table") for job in bundle.resources("jobs")}
    return ".".join(name) in sources or name[0] == "system" or "information_schema" in name


CHECKS = (tables, dashboards)
