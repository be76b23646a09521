"""What tests of the local half share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.deployment import TOKEN, Smoke

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def smoke(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Smoke:
    for name in ("DATABRICKS_CONFIG_PROFILE", "DATABRICKS_WAREHOUSE_ID", "PINECONE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "databrickscfg"))
    return Smoke(capsys, monkeypatch)
