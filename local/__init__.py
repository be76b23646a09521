"""Everything needed to run the bundle with no cloud: never deployed, never imported by `pipelines`."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
