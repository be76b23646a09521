"""What a person fills in: variables of a target, in a file that git does not keep and every command reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def overrides_file(target: str) -> str:
    """Path of a target's file from the bundle's root."""
    return f".databricks/bundle/{target}/variable-overrides.json"


def read_overrides(root: Path, target: str) -> dict[str, Any]:
    """Read a target's values by variable; none where there is no file, or it does not read: a check tells of that."""
    try:
        found = json.loads((root / overrides_file(target)).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
