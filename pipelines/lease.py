"""The right to write to a namespace: one run's at a time, for a minute, renewed while it works.

Claim first, then look: of two runs that claim at once, each row is a commit of its own, so that the later one sees
the earlier. Where both see each other, both stop; never do both go on. What counts while the run works is this
process's own clock: a run that was suspended, or could not renew for the jobs that kept Spark busy, finds its time over
before its next request. It then claims and looks once more, and ends where another run claimed meanwhile.
"""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final, Self

from pyspark.errors import PySparkException
from pyspark.sql import functions as F  # noqa: N812  # Spark's own name for it

from pipelines.errors import LeaseLost, SyncRefused
from pipelines.place import is_here, place
from pipelines.state_tables import LEASE

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

    from pipelines.settings import Settings

LEASE_S: Final = 60.0
_RENEW_S: Final = 20.0
# A request that was sent in time may be on its way for so long: four tries of 30 s, and up to 60 s between them.
_LONGEST_REQUEST_S: Final = 300.0
_MANY_ROWS: Final = 200  # then those that are over are deleted


def _now_s() -> float:
    """Read a clock that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Lease:
    """A context in which this run alone may write; `check` says whether it still may.

    Args:
        spark: any session that sees the table `lease`.
        settings: which index and namespace.
        run_id: of the run that wants to write.

    Raises:
        SyncRefused: on entering it, if another run writes.
    """

    def __init__(self, spark: SparkSession, settings: Settings, run_id: str) -> None:
        self._spark = spark
        self._settings = settings
        self._run_id = run_id
        self._table = settings.table(LEASE.name)
        self._deadline = 0.0
        self._others: dict[str, int] | None = None  # rows of other runs at the first look
        self._ended = Event()
        self._lock = Lock()
        self._why = "it was given back"  # it ended
        self._renewal = Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._claim()
        try:
            self._look()
        except BaseException:
            self._ended.set()
            self._write(None)
            raise
        self._renewal.start()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._ended.set()
        self._renewal.join()
        with suppress(Exception) if error else nullcontext():  # what went wrong first is what a person should see
            self._write(None)

    def check(self) -> None:
        """Ask before every request and every write of the state.

        Raises:
            LeaseLost: the time is over, and another run writes or may write by now.
        """
        with self._lock:
            if self._ended.is_set():
                raise self._lost(self._why)
            if _now_s() < self._deadline:
                return
            try:
                self._claim()
                self._look()
            except Exception as error:
                self._why = str(error)
                self._ended.set()
                raise self._lost(self._why) from error

    def _lost(self, why: str) -> LeaseLost:
        return LeaseLost(
            f"this run may no longer write to namespace {self._settings.namespace}, for its lease of {LEASE_S:.0f} s "
            f"ran out: {why}. What it was about to write is noted as not known: run it again"
        )

    def _claim(self) -> None:
        before = _now_s()
        self._write(F.current_timestamp() + F.expr(f"INTERVAL {LEASE_S:.0f} SECONDS"))
        self._deadline = before + LEASE_S

    def _look(self) -> None:
        """Refuse if another run's last word is a claim that may still be in use, or if one came since the first look.

        That one may be over by now: then this run does not know what the index holds.
        """
        index, namespace = self._settings.index_name, self._settings.namespace
        here = self._spark.table(self._table).where(is_here(self._settings))
        runs = here.groupBy("run_id").agg(
            F.max_by("expires_at", "written_at").alias("expires_at"),
            F.date_format(F.min("written_at"), "HH:mm:ss").alias("since"),
            F.count("*").alias("n_rows"),
        )
        free_at = F.expr(f"expires_at + INTERVAL {_LONGEST_REQUEST_S:.0f} SECONDS")
        until = F.date_format(free_at, "HH:mm:ss").alias("until")
        found = runs.select("*", until, (free_at > F.current_timestamp()).alias("writes")).collect()
        for run in found:
            if run.writes and run.run_id != self._run_id:
                raise SyncRefused(
                    f"run {run.run_id} writes to namespace {namespace} of index {index} since {run.since}: "
                    f"wait until it ends; if it died, its lease is over at {run.until}"
                )
        others = {run.run_id: run.n_rows for run in found if run.run_id != self._run_id}
        if self._others is None:
            self._others = others
        for name, n_rows in others.items():
            if n_rows > self._others.get(name, 0):
                raise SyncRefused(f"run {name} claimed namespace {namespace} of index {index} meanwhile")
        if sum(run.n_rows for run in found) > _MANY_ROWS:
            with suppress(PySparkException):  # another run may be at it
                self._spark.sql(f"DELETE FROM {self._table} WHERE written_at < current_timestamp() - INTERVAL 1 DAY")

    def _renew(self) -> None:
        while not self._ended.wait(_RENEW_S):
            try:
                if _now_s() < self._deadline:  # one that is over needs a look as well
                    self._claim()
            except Exception:  # noqa: BLE001, S112  # the next try may do; if none does, `check` ends the run
                continue

    def _write(self, expires_at: Column | None) -> None:
        row = self._spark.range(1).select(
            *place(self._settings),
            F.lit(self._run_id).alias("run_id"),
            F.current_timestamp().alias("written_at"),
            (F.lit(None) if expires_at is None else expires_at).cast("timestamp").alias("expires_at"),
        )
        row.writeTo(self._table).append()


def break_leases(spark: SparkSession, settings: Settings) -> None:
    """End every claim, for a caller who knows that no other run can be there."""
    table = settings.table(LEASE.name)
    if spark.catalog.tableExists(table):
        spark.sql(f"DELETE FROM {table}")
