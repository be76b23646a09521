"""The bundle's files: databricks.yml and what it includes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

from local.bundle.merge import merge, merge_lists, merge_variable
from local.bundle.node import Node
from local.bundle.yaml_file import read_yaml
from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.bundle.finding import Finding

ROOT_FILE = "databricks.yml"


@dataclass(frozen=True, slots=True)
class Sources:
    """What the files say, before a target is chosen."""

    root: Path  # folder of the bundle
    files: Mapping[str, Node]  # every file by its path from there, the root file first
    merged: Node  # all of them in one
    unreadable: tuple[Finding, ...]  # what keeps them from being understood

    @classmethod
    def read(cls, root: Path) -> Sources:
        """Read the bundle in a folder.

        Raises:
            SettingsError: there is none.
        """
        if not (root / ROOT_FILE).is_file():
            raise SettingsError(f"{root} holds no bundle: there is no {ROOT_FILE}")
        top, findings = read_yaml(root, ROOT_FILE)
        files = {ROOT_FILE: top}
        for pattern in includes(top):
            for file in files_like(root, pattern.text()):
                if file not in files:
                    files[file], more = read_yaml(root, file)
                    findings += more
        return cls(root, files, reduce(merge, files.values()), tuple(findings))

    @property
    def targets(self) -> Mapping[str, Node]:
        """Every target by its name."""
        return self.merged.fields("targets")

    def of_target(self, target: str) -> Node:
        """Merge all files, and a target on top of them."""
        above = self.targets[target]
        kept = {name: node for name, node in above.fields().items() if name not in ("variables", "default")}
        merged = merge(self.merged, replace(above, value=kept))
        variables = dict(merged.fields("variables"))
        for name, node in above.fields("variables").items():
            variables[name] = merge_variable(variables[name], node) if name in variables else node
        resources = merge_lists(merged.at("resources") or Node({}, ROOT_FILE, 1))
        fields = {"variables": Node(variables, ROOT_FILE, 1), "resources": resources}
        return replace(merged, value={**merged.fields(), **fields})


def files_like(root: Path, pattern: str) -> list[str]:
    """Find files by a pattern; what is outside the folder, or empty, matches none."""
    found = glob(pattern, root_dir=root, recursive=True)  # noqa: PTH207  # Path.glob raises where this finds nothing
    return sorted(Path(file).as_posix() for file in found if (root / file).is_file() and not Path(file).is_absolute())


def includes(top: Node) -> list[Node]:
    """Patterns of files that the root file includes."""
    return [node for node in top.items("include") if isinstance(node.value, str)]
