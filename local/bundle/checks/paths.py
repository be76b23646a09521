"""Paths: each leads to a file, and each notebook is one."""

from __future__ import annotations

import ast
import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from local.bundle.code import HEADER
from local.bundle.finding import Finding
from local.bundle.project import beside
from local.bundle.sources import files_like, includes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.bundle.bundle import Bundle
    from local.bundle.node import Node
    from local.bundle.project import Project

# Fields that name one file, by the last names on the way to them.
_FILES = (
    ("notebook", "path"),
    ("notebook_task", "notebook_path"),
    ("file", "path"),
    ("spark_python_task", "python_file"),
    ("sql_task", "file", "path"),
    ("file_path",),
)
_NEEDED = ("notebooks", "pipelines", "requirements", "pyproject")  # what jobs and pipelines run and install
_KINDS = ("jobs", "pipelines", "dashboards", "alerts")


def files(project: Project) -> Iterator[Finding]:
    """A notebook or another file that is not there, a glob of libraries that matches none."""
    for kind in _KINDS:
        for name, resource in project.resources(kind):
            for path, node in resource.walk():
                if path[-2:] == ("glob", "include"):
                    if not files_like(project.root, beside(node)):
                        what = f"{name} takes {node.text()}, which matches no file"
                        yield Finding.at(node, what, "correct the pattern: it starts from this file's folder")
                elif any(path[-len(names) :] == names for names in _FILES) and _is_lost(project.root, node):
                    what = f"{name} names {node.text()}, which is no file"
                    yield Finding.at(node, what, "correct the path: it starts from this file's folder")


def included(project: Project) -> Iterator[Finding]:
    """An include that matches nothing."""
    for node in includes(project.top):
        if not files_like(project.root, node.text()):
            yield Finding.at(node, f"include {node.text()} matches no file", "correct the pattern, or remove it")


def requirements(project: Project) -> Iterator[Finding]:
    """A requirements file, or a package to install from its folder, that is not there."""
    for bundle in project.bundles:
        for kind in ("jobs", "pipelines"):
            for key, resource in bundle.resources(kind).items():
                for path, node in resource.walk():
                    if path[-2:-1] == ("dependencies",) and (lost := _lost_requirement(bundle, node)):
                        what = f"{kind[:-1]} {key} installs {lost}, which is not there"
                        yield Finding.at(node, what, "correct the path: ${workspace.file_path} is the bundle's folder")


def headers(project: Project) -> Iterator[Finding]:
    """A notebook that Databricks would take for a plain file."""
    for file in project.notebooks:
        first, *_ = (project.root / file).read_bytes().splitlines() or [b""]
        if first.rstrip() != HEADER.encode():
            yield Finding(file, 1, "the first line does not say that this is a notebook", f"write {HEADER!r}")


def python(project: Project) -> Iterator[Finding]:
    """A notebook that does not parse."""
    for file in project.notebooks:
        try:
            ast.parse((project.root / file).read_bytes())
        except (SyntaxError, ValueError) as error:
            yield Finding(file, getattr(error, "lineno", 1) or 1, f"this is no Python: {error}", "correct it")


def excluded(project: Project) -> Iterator[Finding]:
    """A pattern of sync.exclude that matches no file, which `validate --strict` fails for."""
    patterns = [node for file in project.sources.files.values() for node in file.items("sync", "exclude")]
    there = list(_files_below(project.root))
    for node in patterns:
        pattern = node.text().removeprefix("!").removeprefix("/")
        pattern = pattern + "**" if pattern.endswith("/") else pattern
        if not any(fnmatchcase(file, pattern) or _matches_a_name(file, pattern) for file in there):
            yield Finding.at(node, f"sync.exclude {node.text()} matches no file", "correct the pattern, or remove it")
        elif taken := next((name for name in _NEEDED if pattern.startswith(name)), None):
            yield Finding.at(node, f"sync.exclude {node.text()} keeps {taken} from the workspace", "remove it")


def _is_lost(root: Path, node: Node) -> bool:
    text = node.text()
    return not text.startswith(("/", "$", "<")) and not (root / beside(node)).is_file()


def _lost_requirement(bundle: Bundle, node: Node) -> str | None:
    flag, _, path = node.text().strip().partition(" ")
    path = path.strip()
    if flag not in ("-r", "--requirement", "-e", "--editable") or "${" in path:
        return None
    if path.startswith("/") and not f"{path}/".startswith(f"{bundle.file_path}/"):
        return None  # elsewhere in the workspace
    path = path.removeprefix(bundle.file_path).strip("/") if path.startswith("/") else beside(node, path)
    file = bundle.root / path
    if flag in ("-r", "--requirement"):
        return None if file.is_file() else path
    return None if (file / "pyproject.toml").is_file() or (file / "setup.py").is_file() else path


def _files_below(root: Path) -> Iterator[str]:
    """Files that a deployment could take, by their path from the root: not what is hidden, not what Python made."""
    for folder, names, found in os.walk(root, followlinks=True):
        names[:] = [name for name in names if not name.startswith((".", "__pycache__"))]
        for file in found:
            yield (Path(folder) / file).relative_to(root).as_posix()


def _matches_a_name(file: str, pattern: str) -> bool:
    """A pattern without a slash holds for names in any folder, as in a .gitignore."""
    return "/" not in pattern and any(fnmatchcase(name, pattern) for name in file.split("/"))


CHECKS = (files, included, requirements, headers, python, excluded)
