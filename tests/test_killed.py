"""Whenever `kill -9` hits the job or the index server: the next run makes the index what the log says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.killed import N_ROUNDS, Game

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


# Not `long`, though it is: every change must show it.
def test_a_job_killed_at_any_moment_is_mended_by_the_next_one(tmp_path: Path, spark: SparkSession) -> None:
    game = Game(tmp_path / "home", seed=1)
    game.kill()
    assert int(game.mend(spark).partition(" records of ")[0]) > 0
    assert len(game.kills) == N_ROUNDS + 1
    assert game.kills[0].endswith("create")
