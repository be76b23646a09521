"""Settings that a notebook reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.bundle.reads import SETTINGS, Package
from tests.local.bundle.seed import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS_FILE = """
class Settings:
    def table(self, name):
        return self.catalog + self.schema
"""


def reads(root: Path, notebook: str, **modules: str) -> set[str]:
    (root / "pipelines").mkdir()
    for name, text in {"settings": SETTINGS_FILE, **modules}.items():
        (root / "pipelines" / f"{name}.py").write_text(text, encoding="utf-8")
    (root / "notebook.py").write_text(notebook, encoding="utf-8")
    return set(Package(root).reads("notebook.py").settings) - {"source_table"}


@pytest.mark.parametrize(
    ("notebook", "modules", "found"),
    [
        ("print(settings.region)", {}, {"region"}),
        ("settings.table('t')", {}, {"catalog", "schema"}),
        ("from pipelines.a import f\nf()", {"a": "def f():\n  return g()\ndef g():\n  settings.cloud"}, {"cloud"}),
        ("from pipelines.a import f", {"a": "def f():\n  settings.cloud"}, set()),
        ("from pipelines.a import f\nf()", {"a": "def f(): ...\ndef g():\n  settings.cloud"}, set()),
        ("from pipelines import a\na.f()", {"a": "def f():\n  settings.cloud"}, {"cloud"}),
        (
            "from pipelines.a import f\nf()",
            {"a": "def f():\n  from pipelines.b import g\n  g()", "b": "def g():\n  settings.cloud"},
            {"cloud"},
        ),
        (
            "from pipelines.a import C\nC().used()",
            {"a": "class C:\n  def used(self): self.s.settings.cloud\n  def unused(self): settings.region"},
            {"cloud"},
        ),
        (
            "from pipelines.a import C\nwith C(): ...",
            {"a": "class C:\n  def __enter__(self): self._settings.cloud"},
            {"cloud"},
        ),
        ("frame.schema; spark.catalog", {}, set()),
    ],
)
def test_a_setting_is_read_where_the_notebooks_names_lead(
    tmp_path: Path, notebook: str, modules: dict[str, str], found: set[str]
) -> None:
    assert reads(tmp_path, notebook, **modules) == found


def test_of_ours_the_pipeline_reads_what_shapes_rows_and_the_sync_all_but_what_is_reconciles() -> None:
    package = Package(ROOT)
    of = {path.stem: package.reads(f"notebooks/{path.name}") for path in (ROOT / "notebooks").glob("*.py")}
    pipeline = of["bronze"].settings | of["silver"].settings | of["gold"].settings
    assert {"precision", "namespace", "version_column"} <= pipeline
    assert not pipeline & {"index_name", "secret_key", "region", "adopt"}
    assert of["prepare"].settings | of["write_to_pinecone"].settings == SETTINGS - {"repair", "delete_foreign"}
    assert "repair" in of["reconcile"].settings


def test_a_class_that_is_built_from_all_widgets_adds_its_fields() -> None:
    assert Package(ROOT).reads("notebooks/search.py").others == {"question", "top_k"}
