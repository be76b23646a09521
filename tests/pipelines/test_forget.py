"""A document that somebody asked to forget leaves the index at once, and stays out whatever happens to its source."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines import forget as forget_module
from pipelines.errors import NotProven, SettingsError, SyncRefused
from pipelines.forget import Receipt, forget
from pipelines.lease import Lease
from pipelines.state_tables import FORGOTTEN
from tests.pipelines.scene import KEY, Version, desired, vector

if TYPE_CHECKING:
    from tests.pipelines.scene import Scene

STAYS = Version("stays", 1, ("One.", "Two."))
SECRET = Version("it's a {secret}", 1, ("Nobody", "must", "know."))


def asked(scene: Scene, **what: str) -> Receipt | None:
    return forget(scene.spark, replace(scene.settings, **what), KEY)


@pytest.mark.long
def test_it_is_out_and_stays_out_until_it_is_allowed_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.prepare()
    scene.log(STAYS, SECRET)
    scene.sync()
    assert asked(scene) is None
    assert asked(scene, forget=SECRET.source_id, dry_run="true") is None
    with pytest.raises(SettingsError, match=r"^setting forget is 'a slip': neither table nor index knows"):
        asked(scene, forget="a slip")
    with pytest.raises(SettingsError, match=r"^setting allow_back is 'a slip': no such document was ever forgotten$"):
        asked(scene, allow_back="a slip")
    with Lease(scene.spark, scene.settings, "a sync"), pytest.raises(SyncRefused, match=r"^run a sync writes to"):
        asked(scene, forget=SECRET.source_id)
    assert scene.spark.table(scene.settings.table(FORGOTTEN.name)).isEmpty()
    assert scene.contents() == desired(STAYS, SECRET)

    orphan = f"{SECRET.doc_id}#7"
    with scene.pinecone.Index("docs") as index:
        index.upsert(vectors=[{"id": orphan, "values": vector("x").tolist()}], namespace=scene.settings.namespace)
    monkeypatch.setattr(forget_module, "VISIBLE_LIMIT_S", 0.2)
    scene.server.set_visibility_delay(60)
    with pytest.raises(NotProven, match=r"^4 records of document it's a \{secret\} were deleted, and the index still"):
        asked(scene, forget=SECRET.source_id)
    receipts = scene.spark.table(scene.settings.table(FORGOTTEN.name))
    (receipt,) = receipts.collect()
    assert (receipt.source_id, receipt.record_ids, receipt.proven_at) == (SECRET.source_id, None, None)
    assert receipt.forgotten_by
    scene.server.set_visibility_delay(0)
    assert asked(scene, forget=SECRET.source_id) is not None
    (receipt,) = receipts.collect()
    assert set(SECRET.records()) <= set(receipt.record_ids)
    assert receipt.proven_at >= receipt.forgotten_at
    assert scene.contents() == desired(STAYS)

    # Edited, with rows once more, and in another namespace: it is out everywhere.
    edited = replace(SECRET, version=2, sentences=("Told", "again."))
    scene.log(edited, SECRET)
    report = scene.sync()
    assert (report.n_upserted, report.n_documents) == (0, 1)
    assert scene.sync(namespace="another").n_upserted == 2
    assert scene.contents("another") == desired(STAYS)

    asked(scene, allow_back=SECRET.source_id)
    assert scene.sync().n_upserted == 2
    assert scene.contents() == desired(STAYS, edited)
    (receipt,) = receipts.collect()
    assert receipt.undone_at >= receipt.proven_at
    assert receipt.undone_by == receipt.forgotten_by
