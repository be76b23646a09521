"""Python files in parts."""

from __future__ import annotations

from local.bundle.code import parse

SOURCE = """
from pipelines import rules
from pipelines.index import VectorIndex as Index
import os

LIMIT: int = 3
FIRST, SECOND = os.sep, LIMIT

@decorated
def function(settings):
    from pipelines.late import late
    return settings.schema + self._settings.catalog + other.region

class Shape(Base):
    side: int = LIMIT

    def __post_init__(self):
        self.checked

    def area(self):
        return self.side * wide(dbutils.widgets.getAll())
"""
CODE = parse(SOURCE)


def test_parts_are_functions_classes_and_constants() -> None:
    assert set(CODE.parts) == {"LIMIT", "FIRST", "SECOND", "function", "Shape"}
    assert CODE.parts["SECOND"].names >= {"os", "LIMIT"}
    assert "decorated" in CODE.parts["function"].names


def test_a_class_is_its_bases_fields_and_what_python_calls_and_other_methods_stand_apart() -> None:
    assert CODE.parts["Shape"].names >= {"Base", "LIMIT"}
    assert CODE.parts["Shape"].of_self == {"checked"}
    assert CODE.parts["Shape"].declares == ("side",)
    assert set(CODE.methods["Shape"]) == {"area"}
    assert CODE.methods["Shape"]["area"].of_self == {"side"}


def test_settings_are_read_off_what_is_called_settings_alone() -> None:
    assert CODE.parts["function"].of_settings == {"schema", "catalog"}


def test_imports_of_the_package_count_wherever_they_stand() -> None:
    assert CODE.imports == {"rules": ("rules", ""), "Index": ("index", "VectorIndex"), "late": ("late", "late")}


def test_what_is_handed_all_widgets_is_known() -> None:
    assert CODE.methods["Shape"]["area"].widgets_to == {"wide"}
