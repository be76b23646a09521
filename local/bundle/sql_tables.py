"""Tables that a SQL query reads, told from its words: no Spark is asked."""

from __future__ import annotations

import re

_SILENT = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)  # strings, comments
_TOKEN = re.compile(r"`[^`]+`|\w+|[^\s\w]")
_WITH_FROM = {"extract", "trim", "substring", "overlay"}  # functions whose arguments are separated by FROM
_NO_NAME = {"lateral", "values", "select", "table", "stream"}
_NO_ALIAS = {
    "on",
    "using",
    "where",
    "join",
    "left",
    "right",
    "inner",
    "full",
    "cross",
    "semi",
    "anti",
    "natural",
    "lateral",
} | {"group", "order", "having", "limit", "union", "except", "intersect", "window", "qualify", "pivot", "tablesample"}


def tables_of(query: str) -> list[tuple[str, ...]]:
    """Give each table's name in its parts, without quotes; names that the query defines itself are left out."""
    tokens = [token.strip("`") for token in _TOKEN.findall(_SILENT.sub(" 0 ", query))]
    words = [token.lower() for token in tokens]
    own = _defined(words)
    found = []
    around: list[str] = []  # the word before each open bracket
    for place, word in enumerate(words):
        if word == "(":
            around.append(words[place - 1] if place else "")
        elif word == ")" and around:
            around.pop()
        elif word == "join" or (
            word == "from" and words[place - 1] != "distinct" and not (around and around[-1] in _WITH_FROM)
        ):
            found += _listed(tokens, words, place + 1)
    return [name for name in found if not (len(name) == 1 and name[0].lower() in own)]


def _listed(tokens: list[str], words: list[str], place: int) -> list[tuple[str, ...]]:
    """Read `name alias, name alias` from a place on; subqueries and functions are no names."""
    found = []
    while place < len(tokens) and re.match(r"\w", tokens[place]) and words[place] not in _NO_NAME:
        name = [tokens[place]]
        place += 1
        while words[place : place + 1] == ["."]:
            name += tokens[place + 1 : place + 2]
            place += 2
        if words[place : place + 1] == ["("]:
            break
        found.append(tuple(name))
        if words[place : place + 1] == ["as"]:
            place += 1
        if place < len(words) and words[place].isidentifier() and words[place] not in _NO_ALIAS:
            place += 1
        if words[place : place + 1] != [","]:
            break
        place += 1
    return found


def _defined(words: list[str]) -> set[str]:
    """Give the names of common table expressions: `name AS (`, `name (columns) AS (`."""
    found = set()
    for place in range(1, len(words) - 1):
        if words[place] == "as" and words[place + 1] == "(":
            before = place - 1
            if words[before] == ")":
                while before and words[before] != "(":
                    before -= 1
                before -= 1
            found.add(words[before])
    return found
