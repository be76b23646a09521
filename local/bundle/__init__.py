"""The Databricks bundle, read as its command line reads it, with no workspace and no network.

`bundle.resolved` gives a target's resources; `check.check` gives what is wrong with the files, each with file and line.
"""
