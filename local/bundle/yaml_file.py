"""Read a YAML file with positions, scalars typed as the Databricks command line types them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

from local.bundle.finding import Finding
from local.bundle.node import Node
from local.strict_json import strict_json, unique_keys

if TYPE_CHECKING:
    from pathlib import Path

# Neither types scalars, for YAML 1.1 takes `on` for true. libyaml's is ten times as fast, where PyYAML has it.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def read_yaml(root: Path, file: str) -> tuple[Node, list[Finding]]:
    """Read one file.

    Args:
        root: folder of the bundle.
        file: path from there.

    Returns:
        What it holds, an empty mapping if it does not parse; and what is wrong with it as YAML.
    """
    empty = Node({}, file, 1)
    try:
        document = yaml.compose((root / file).read_text(encoding="utf-8"), Loader=_LOADER)
    except UnicodeDecodeError:
        return empty, [Finding(file, 1, "this is no UTF-8", "save the file as UTF-8")]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        line = mark.line + 1 if mark is not None else 1
        return empty, [Finding(file, line, f"this is no YAML: {problem}", "correct it there or just before")]
    if document is None:
        return empty, []
    if not isinstance(document, yaml.MappingNode):
        return empty, [Finding(file, document.start_mark.line + 1, "this is no mapping", "write `name: value` lines")]
    reader = _Reader(file)
    return reader.node(document, 1), reader.findings


class _Reader:
    """Turns the parser's nodes into ours."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.findings: list[Finding] = []

    def node(self, node: Any, line: int) -> Node:
        if isinstance(node, yaml.MappingNode):
            return Node(self._mapping(node), self._file, line)
        if isinstance(node, yaml.SequenceNode):
            items = [self.node(item, item.start_mark.line + 1) for item in node.value]
            return Node(items, self._file, line)
        return Node(_scalar(node.value) if _is_plain(node) else node.value, self._file, line)

    def _mapping(self, mapping: Any) -> dict[str, Node]:
        merged: dict[str, Node] = {}
        own: dict[str, Node] = {}
        for key, value in mapping.value:
            line = key.start_mark.line + 1
            if key.value == "<<" and _is_plain(key):
                for other in value.value if isinstance(value, yaml.SequenceNode) else (value,):
                    merged = {**self.node(other, line).fields(), **merged}
                continue
            name = str(key.value)
            if name in own:
                what = f"{name} stands here twice, first in line {own[name].line}"
                self.findings.append(Finding(self._file, line, what, "leave one: the last one would win in silence"))
            own[name] = self.node(value, line)
        return {**merged, **own}


def _is_plain(node: Any) -> bool:
    return not node.style  # no quotes, no block


def _scalar(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def no_json_object(root: Path, file: str, fix: str) -> Finding | None:
    """Say where a file stops being JSON, which YAML is not all of, or that it is no object; nothing where it is one."""
    try:
        found = strict_json((root / file).read_text(encoding="utf-8"), unique_keys)
    except json.JSONDecodeError as error:
        return Finding(file, error.lineno, f"this is no JSON: {error.msg}", fix)
    except (ValueError, RecursionError) as error:  # no UTF-8, a key twice, nested too deep
        return Finding(file, 1, f"this is no JSON: {error}", fix)
    return None if isinstance(found, dict) else Finding(file, 1, f"this is a {type(found).__name__}, no object", fix)
