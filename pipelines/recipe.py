"""What shaped a row besides the source: one text per table, each the one above it and what that table adds.

Rows of two recipes are never mixed in one document: the sync holds back a live document whose newest rows
carry another recipe than the current settings, and says that a full refresh is due.

The job computes the current recipe from settings and pinned versions alone, without torch or the model's
packages; `check_pins` makes the pipeline prove that the pins are what runs.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from pipelines.errors import ModelError
from pipelines.ids import content_hash
from pipelines.text import CLEANER_REVISION, SPLITTER_REVISION

if TYPE_CHECKING:
    from pipelines.settings import Settings

# The packages whose version can move a sentence's boundary, as requirements.txt pins them.
PINS = {"sentencex": "1.0.32", "tokenizers": "0.23.3"}


def documents_recipe(settings: Settings) -> str:
    """Recipe of `documents`: the cleaner, the columns that make a document, and what gives versions their scale.

    Versions of two scales cannot be compared: of a change feed and of appends, or of a source table and of the one
    that was made in its place, for which the epoch is raised.
    """
    columns = (settings.id_column, settings.text_column, *settings.metadata_columns)
    scale = (settings.source_mode, settings.version_column, str(settings.source_epoch))
    return f"clean{CLEANER_REVISION}-{content_hash(','.join((*columns, *scale)))[:8]}"


def splitter_recipe(settings: Settings) -> str:
    """What `sentences` adds to a row's recipe: splitter, packages that decide boundaries, the model with its window."""
    pins = "-".join(f"{package}{pin}" for package, pin in PINS.items())
    return f"/split{SPLITTER_REVISION}-{pins}-{settings.model.rpartition('/')[0]}"


def sentences_recipe(settings: Settings) -> str:
    """Recipe of a row of `sentences` that these settings shaped from its source on."""
    return documents_recipe(settings) + splitter_recipe(settings)


def model_recipe(settings: Settings) -> str:
    """What `embeddings` adds to a row's recipe: the model with its precision."""
    return f"/{settings.model}"


def embeddings_recipe(settings: Settings) -> str:
    """Recipe of a row of `embeddings` that these settings shaped from its source on."""
    return sentences_recipe(settings) + model_recipe(settings)


def check_pins() -> None:
    """Check, where the pipeline runs, that the packages in `PINS` are installed in just that version.

    Raises:
        ModelError: another version is installed, so that `recipe` would not say what ran.
    """
    for package, pin in PINS.items():
        installed = version(package)
        if installed != pin:
            raise ModelError(f"{package} {installed} is installed, but requirements.txt pins {pin}: install the pin")
