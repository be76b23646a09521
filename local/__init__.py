"""Everything needed to run the bundle with no cloud: never deployed, never imported by `pipelines`."""
