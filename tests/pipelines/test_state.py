"""The sync's memory: rows of one index and namespace, and of no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.ids import TOMBSTONE_HASH
from pipelines.settings import Settings
from pipelines.state import State
from tests.pipelines.scene import NOON

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.long

SETTINGS = Settings(source_table="a.b", schema="state_test", index_name="docs", namespace="plain")
ODD = """it's a "name\\space" of {odd} ${HOME} ${env:HOME}; -- `all` ASCII"""


DEAD = {"doc_id": "d", "source_id": "s", "payload_hash": "p", "status": 400, "reason": "no"}


def row(doc_id: str, payload_hashes: list[str | None], document_hash: str | None = "hash") -> dict[str, Any]:
    return {
        "doc_id": doc_id,
        "source_id": f"the source's {doc_id}",
        "version": 1,
        "document_hash": document_hash,
        "recipe": "r",
        "model": "m",
        "deleted": document_hash == TOMBSTONE_HASH,
        "payload_hashes": payload_hashes,
        "changed_at": NOON,
    }


def held(state: State) -> dict[str, tuple[str | None, list[str | None]]]:
    rows = state.held().collect()
    assert len(rows) == len({row.doc_id for row in rows})
    return {row.doc_id: (row.document_hash, row.payload_hashes) for row in rows}


def counts(state: State) -> tuple[int, int]:
    holding = state.holding()
    return holding.n_documents, holding.n_known


def test_each_namespace_and_each_index_has_its_own_rows(spark: SparkSession) -> None:
    plain = State(spark, SETTINGS)
    odd = State(spark, replace(SETTINGS, namespace=ODD))
    other = State(spark, replace(SETTINGS, index_name="other"))
    assert held(plain) == {}  # before there is a table
    for _ in range(2):
        plain.create()
    plain.append([])
    assert counts(plain) == (0, 0)

    plain.append([row("d", ["a", None]), row("gone", [], TOMBSTONE_HASH)])
    odd.append([row("d", ["b"])])
    other.append([row("d", ["c", "c", "c"])])
    assert [counts(state) for state in (plain, odd, other)] == [(2, 1), (1, 1), (1, 3)]
    assert held(odd) == {"d": ("hash", ["b"])}

    odd.append([row("d", ["e", "f"], "later"), row("new", ["g"])])
    assert held(odd) == {"d": ("later", ["e", "f"]), "new": ("hash", ["g"])}
    assert held(plain) == {"d": ("hash", ["a", None]), "gone": (TOMBSTONE_HASH, [])}

    odd.forget_contents()
    assert held(odd) == {"d": (None, [None, None]), "new": (None, [None])}
    assert counts(odd) == (2, 0)
    assert [counts(state) for state in (plain, other)] == [(2, 1), (1, 3)]


def test_syncs_of_two_namespaces_may_write_at_the_same_time(spark: SparkSession) -> None:
    settings = replace(SETTINGS, schema="state_test_two")
    states = [State(spark, replace(settings, namespace=name)) for name in ("one", "two")]
    states[0].create()

    def write(state: State) -> None:
        for number in range(2):
            state.append([row("d", [str(number)]), row(f"d{number}", ["a"])])
            state.bury([DEAD | {"id": f"d{number}#0"}], ["d0#0"] if number else [])

    with ThreadPoolExecutor() as pool:
        list(pool.map(write, states))
    assert [state.dead_letters() for state in states] == [{"d": {"d1#0"}}] * 2
    expected = {"d": ("hash", ["1"])} | {f"d{number}": ("hash", ["a"]) for number in range(2)}
    assert [held(state) for state in states] == [expected] * 2
