"""Recipes: everything that shapes a row changes them, and the job can compute them with next to nothing installed."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines import recipe
from pipelines.errors import ModelError
from pipelines.recipe import PINS, check_pins, documents_recipe, embeddings_recipe, sentences_recipe
from pipelines.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = Settings(source_table="docs.articles", metadata_columns=("title", "year"))
CHAIN = (documents_recipe, sentences_recipe, embeddings_recipe)
ROOT = Path(__file__).resolve().parents[2]


def recipes(settings: Settings = SETTINGS) -> list[str]:
    return [of_table(settings) for of_table in CHAIN]


def test_each_recipe_starts_with_the_one_above() -> None:
    documents, sentences, embeddings = recipes()
    assert sentences.startswith(f"{documents}/")
    assert embeddings.startswith(f"{sentences}/")


def test_the_same_settings_give_the_same_recipe_always() -> None:
    assert recipes()[-1] == (
        "clean1-de5fce3d/split2-sentencex1.0.32-tokenizers0.23.3-all-MiniLM-L6-v2@53aa5117/"
        "all-MiniLM-L6-v2@53aa5117/float32"
    )


def changed(before: list[str]) -> list[bool]:
    return [a != b for a, b in zip(before, recipes(), strict=True)]


@pytest.mark.parametrize(
    "settings",
    [
        replace(SETTINGS, id_column="key"),
        replace(SETTINGS, text_column="body"),
        replace(SETTINGS, metadata_columns=("title",)),
        replace(SETTINGS, metadata_columns=("year", "title")),
        replace(SETTINGS, source_mode="appends"),
        replace(SETTINGS, source_mode="appends", id_column=""),
        replace(SETTINGS, source_mode="appends", version_column="year"),
        replace(SETTINGS, source_epoch=1),
    ],
)
def test_another_column_or_another_scale_of_versions_changes_every_recipe(settings: Settings) -> None:
    assert not set(recipes()) & set(recipes(settings))


def test_a_revision_or_a_pin_changes_its_table_and_those_below(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[Callable[[], None], list[bool]]] = [
        (lambda: monkeypatch.setattr(recipe, "CLEANER_REVISION", 99), [True, True, True]),
        (lambda: monkeypatch.setattr(recipe, "SPLITTER_REVISION", 99), [False, True, True]),
        (lambda: monkeypatch.setitem(PINS, "sentencex", "99"), [False, True, True]),
        (lambda: monkeypatch.setitem(PINS, "tokenizers", "99"), [False, True, True]),
    ]
    for step, expected in steps:
        before = recipes()
        step()
        assert changed(before) == expected


def test_another_model_changes_sentences_for_its_window_and_embeddings(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    documents, sentences, embeddings = recipes(replace(SETTINGS, model_path=str(tmp_path)))
    assert documents == recipes()[0]
    assert sentences != recipes()[1]
    assert embeddings != recipes()[2]


@pytest.mark.parametrize(
    "settings",
    [
        replace(SETTINGS, namespace="other"),
        replace(SETTINGS, index_name="other"),
        replace(SETTINGS, max_delete_ratio=1.0),
    ],
)
def test_what_does_not_shape_a_row_changes_no_recipe(settings: Settings) -> None:
    assert recipes(settings) == recipes()


def test_the_pins_are_those_of_requirements_txt() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(match.groups() for line in lines if (match := re.match(r"([\w-]+)==([\w.]+)", line)))
    assert {package: pinned[package] for package in PINS} == PINS


def test_another_version_than_the_pinned_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_pins()
    monkeypatch.setitem(PINS, "sentencex", "0.0.1")
    with pytest.raises(ModelError, match=r"sentencex 1\.0\.32 is installed, but requirements\.txt pins 0\.0\.1"):
        check_pins()


def imported(modules: str, *refused: str) -> subprocess.CompletedProcess[str]:
    script = f"""
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {refused}:
            raise ImportError('reached for ' + name)
sys.meta_path.insert(0, Without())
{modules}
"""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603  # ours


def test_the_pure_core_needs_neither_spark_nor_the_model() -> None:
    script = """
from pipelines import ids, plan, recipe, rules, settings, tables, weights, winner
print(recipe.embeddings_recipe(settings.Settings(source_table='docs.articles')))
"""
    answer = imported(
        script, "pyspark", "torch", "sentencex", "tokenizers", "safetensors", "numpy", "pandas", "pinecone"
    )
    assert answer.stderr == ""
    assert answer.stdout.strip() == embeddings_recipe(Settings(source_table="docs.articles"))


def test_the_job_needs_no_model() -> None:
    answer = imported("import pipelines.prepare, pipelines.sync", "torch", "sentencex", "tokenizers", "safetensors")
    assert answer.stderr == ""
