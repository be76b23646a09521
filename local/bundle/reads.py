"""Which settings a notebook reads, told from the code alone: no notebook is run.

Its names are followed through every function and class of `pipelines` that they reach; a method counts once something
reached calls one of its name. So it may find a setting too many, and misses none that is read as `settings.NAME`.
"""

from __future__ import annotations

import ast
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING

from local.bundle.code import PACKAGE, Code, Part, parse
from pipelines.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = frozenset(setting.name for setting in fields(Settings))
_REQUIRED = frozenset(setting.name for setting in fields(Settings) if setting.default is MISSING)


@dataclass(frozen=True, slots=True)
class Reads:
    """What a notebook takes from its parameters or its configuration."""

    settings: frozenset[str]  # of Settings
    others: frozenset[str]  # fields of another class that it builds from all its widgets, as search builds Question


class Package:
    """The package `pipelines` of a bundle, each module parsed once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._modules: dict[str, Code] = {}

    def module(self, name: str) -> Code:
        """Parse a module; one that is not there is empty."""
        if name not in self._modules:
            path = self._root / PACKAGE / f"{name}.py"
            self._modules[name] = parse(path.read_text(encoding="utf-8") if path.is_file() else "")
        return self._modules[name]

    def reads(self, notebook: str) -> Reads:
        """Find what a notebook, named by its path from the root, reads."""
        source = (self._root / notebook).read_text(encoding="utf-8")
        code, whole = parse(source), Part.of(ast.parse(source))
        others: set[str] = set()
        for module, name in (code.imports[name] for name in whole.widgets_to & code.imports.keys()):
            if name in self.module(module).methods:  # a class
                others.update(self.module(module).parts[name].declares)
        return Reads(_Reach(self).settings(code, whole) | _REQUIRED, frozenset(others))


class _Reach:
    """Everything that a notebook's names lead to."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._reached: set[tuple[str, str]] = set()  # module and name
        self._waiting: dict[str, list[tuple[str, Code, Part]]] = {}  # methods that nothing called yet, by name

    def settings(self, notebook: Code, whole: Part) -> frozenset[str]:
        """Follow all names, and collect the settings on the way."""
        methods = self._package.module("settings").methods[Settings.__name__]
        made_of = {name: part.of_self & SETTINGS for name, part in methods.items()}
        called, found = set[str](), set[str]()
        todo = [("", notebook, whole)]
        while todo:
            module, code, part = todo.pop()
            for name in part.names:
                todo += self._behind(module, code, name)
            called |= part.attributes
            found |= part.of_settings
            for method in called & self._waiting.keys():
                todo += self._waiting.pop(method)
        return frozenset().union(*(made_of.get(name, {name} & SETTINGS) for name in found))

    def _behind(self, module: str, code: Code, name: str) -> Iterator[tuple[str, Code, Part]]:
        """Give what a name stands for, if it was not reached before."""
        if name in code.imports:
            module, name = code.imports[name]
            if module == "settings":
                return  # it reads each of them, to check it
            code = self._package.module(module)
        for unit in [name] if name else code.parts:
            if (module, unit) in self._reached or unit not in code.parts:
                continue
            self._reached.add((module, unit))
            yield module, code, code.parts[unit]
            for method, part in code.methods.get(unit, {}).items():
                self._waiting.setdefault(method, []).append((module, code, part))
