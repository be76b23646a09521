"""For so many minutes: histories that nobody has drawn before, and the real job killed again and again.

python -m tests.soak MINUTES         until then, or until something is wrong
python -m tests.soak histories SEED  one batch of histories, as a failure names it
"""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.killed import play
from tests.pipelines.histories import Histories, run

N_HISTORIES = 1_000  # in a batch, some twenty seconds
N_GAMES = 7  # of three rounds each, spread over the time; fewer where they do not fit


class Soak:
    """What has been done so far."""

    def __init__(self, minutes: float) -> None:
        self._limit_s = 60 * minutes
        self._started = time.monotonic()
        self.n_histories = self.n_deaths = self.n_games = self.n_kills = 0

    @property
    def passed_s(self) -> float:
        return time.monotonic() - self._started

    def run(self) -> None:
        """Go on until the time is over."""
        while self.passed_s < self._limit_s:
            if self.passed_s >= self.n_games * self._limit_s / N_GAMES:
                self._play()
            seed = secrets.randbits(32)
            print(f"histories {seed}", end=": ", flush=True)
            histories(seed)
            self.n_histories += N_HISTORIES
            self.n_deaths += Histories.counts["died"]
            print(self, flush=True)

    def _play(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="soak-"))  # stays where it fails
        seed = secrets.randbits(32)
        print(f"game {seed} in {folder}", end=": ", flush=True)
        *kills, found = play(folder, seed)
        shutil.rmtree(folder)
        self.n_games += 1
        self.n_kills += len(kills)
        print(*kills, found, sep="; ", flush=True)

    def __str__(self) -> str:
        return (
            f"{self.passed_s / 60:.1f} minutes, {self.n_histories:,} histories with {self.n_deaths:,} deaths, "
            f"{self.n_kills} kills in {self.n_games} games"
        )


def histories(seed: int) -> None:
    run(n_histories=N_HISTORIES, drawn_by=seed)


def main(minutes: float) -> int:
    soak = Soak(minutes)
    try:
        soak.run()
    except Exception:  # noqa: BLE001  # whatever it is, it is what was looked for
        traceback.print_exc(file=sys.stdout)
        print(f"FAILED after {soak}: the last line that names a seed says what to repeat")
        return 1
    print(f"passed: {soak}")
    return 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["histories", seed]:
            histories(int(seed))
        case [minutes]:
            sys.exit(main(float(minutes)))
        case _:
            sys.exit(__doc__)
