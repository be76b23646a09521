"""What is the matter with a record: a table of cases, each one document of two sentences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipelines.documents import Document
from pipelines.ids import doc_id
from pipelines.inspection import Kind, by_document, fault, judge
from pipelines.reader import Found
from pipelines.record import Record
from tests.pipelines.test_documents import CHANGE

if TYPE_CHECKING:
    from collections.abc import Mapping

RIGHT, WRONG = "", "metadata differs in title"


def found(status: str, held: list[str | None] | None, present: Mapping[int, str], **more: Any) -> dict[int, Kind]:
    desired = ["a", "b"] if status in ("same", "write") else []
    document = Document(CHANGE | {"status": status, "held": held, **more.pop("change", {})}, desired)
    findings = judge(document, present, **more).findings
    return {int(finding.record_id.split("#")[1]): finding.kind for finding in findings}


@pytest.mark.parametrize(
    ("status", "held", "present", "kinds"),
    [
        ("same", ["a", "b"], {0: RIGHT, 1: RIGHT}, {}),
        ("same", ["a", "b"], {1: WRONG}, {0: Kind.MISSING, 1: Kind.CHANGED}),
        ("same", ["a", "b"], {0: RIGHT, 1: RIGHT, 2: WRONG, 7: WRONG}, {2: Kind.ORPHAN, 7: Kind.ORPHAN}),
        ("same", ["a", None], {0: RIGHT}, {}),  # the index refused the second
        ("same", ["a", None], {0: RIGHT, 1: WRONG}, {1: Kind.CHANGED}),
        ("write", ["a", "x"], {0: RIGHT, 1: WRONG}, {1: Kind.STALE}),
        ("write", ["a", "b", "c"], {0: RIGHT, 1: RIGHT, 2: WRONG, 3: WRONG}, {2: Kind.STALE, 3: Kind.ORPHAN}),
        ("write", ["a"], {}, {0: Kind.MISSING, 1: Kind.PENDING}),
        ("write", None, {}, {0: Kind.PENDING, 1: Kind.PENDING}),
        ("write", [None, None], {0: RIGHT, 1: WRONG}, {1: Kind.STALE}),
        ("delete", ["a", "b"], {0: WRONG, 1: WRONG, 2: WRONG}, {0: Kind.STALE, 1: Kind.STALE, 2: Kind.ORPHAN}),
        ("pending", ["a", "b", None], {0: WRONG, 5: WRONG}, {0: Kind.PENDING, 1: Kind.PENDING, 5: Kind.PENDING}),
    ],
)  # fmt: skip
def test_each_case_has_its_kind(
    status: str, held: list[str | None] | None, present: Mapping[int, str], kinds: dict[int, Kind]
) -> None:
    assert found(status, held, present) == kinds
    young = found(status, held, present, is_young=True)
    assert young == {ordinal: Kind.STALE if kind == Kind.STALE else Kind.PENDING for ordinal, kind in kinds.items()}


def test_a_deleted_document_that_is_still_there_stays_deleted_and_has_room_for_what_is_seen() -> None:
    change = CHANGE | {"status": "same", "held": [], "held_deleted": True, "head_known": False}
    seen = judge(Document(change), {3: WRONG})
    row = seen.state_row()
    assert seen.state_is_wrong
    assert (row["deleted"], row["document_hash"], row["payload_hashes"]) == (True, None, [None] * 4)


def test_what_is_right_is_known_from_then_on_and_what_is_not_has_room() -> None:
    seen = judge(Document(CHANGE | {"held": None}, ["a", "b"]), {0: RIGHT, 1: WRONG, 2: WRONG})
    assert seen.state_is_wrong
    assert seen.state_row()["payload_hashes"] == ["a", None, None]
    assert not judge(Document(CHANGE | {"held": None}, ["a", "b"]), {}).state_is_wrong  # a sync will write it


def test_ids_of_our_making_are_told_from_others() -> None:
    ours = doc_id("p")
    odd = ["theirs", ours, f"{ours}#", f"{ours}#01", f"{ours}#x", f"{ours.upper()}#1", f"{ours}#1234567", f" {ours}#1"]
    assert by_document([f"{ours}#0", f"{ours}#12", *odd]) == ({ours: [0, 12]}, odd)


def record(values: object, **metadata: Any) -> Record:
    return Record("id", np.asarray(values, np.float32), json.dumps(metadata))


def test_a_record_is_right_if_metadata_is_the_same_and_the_vector_nearly() -> None:
    wanted = record((1.0, 0.0), n=1, tags=["x"])
    near = np.asarray((1.0, 0.01), np.float32)
    assert fault(wanted, Found(near, {"n": 1.0, "tags": ["x"]})) == ""
    assert fault(wanted, Found(near, {"n": 2, "tags": ["x"], "more": 1})) == "metadata differs in n, more"
    large = record((1.0, 0.0), n=2**60 + 1)
    assert fault(large, Found(near, {"n": float(2**60)})) == ""
    assert fault(record((1.0, 0.0), n=True), Found(near, {"n": False})) == "metadata differs in n"
    assert fault(wanted, Found(near, {"tags": ["x"]})) == "metadata differs in n"
    same = {"n": 1, "tags": ["x"]}
    assert fault(wanted, Found(np.asarray((1.0, 0.02), np.float32), same)) == "its vector differs: cosine 0.9998"
    assert fault(wanted, Found(np.ones(3, np.float32), same)) == "it has 3 values instead of 2"
    assert fault(wanted, Found(np.zeros(2, np.float32), same)) == "its vector differs: cosine 0.0000"
