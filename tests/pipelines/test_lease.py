"""One writer a namespace: the second stops, one that was suspended stops, one that died is waited for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines import lease as lease_module
from pipelines.errors import LeaseLost, SyncRefused
from pipelines.lease import LEASE_S, Lease, break_leases
from pipelines.settings import Settings
from pipelines.state import State

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = Settings(source_table="a.b", schema="lease_test", index_name="docs", namespace="it's {one}")


@pytest.mark.long
def test_one_run_at_a_time_writes_to_a_namespace(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    break_leases(spark, SETTINGS)  # before there is a table
    State(spark, SETTINGS).create()
    with Lease(spark, SETTINGS, "first") as lease:
        lease.check()
        second = Lease(spark, SETTINGS, "second")
        with (
            pytest.raises(SyncRefused, match=r"^run first writes to namespace it's \{one\} of index docs since .*wait"),
            second,
        ):
            raise AssertionError("two at once")
        with pytest.raises(LeaseLost):
            second.check()
        with Lease(spark, replace(SETTINGS, namespace="another"), "third"):
            lease.check()
    with pytest.raises(LeaseLost, match=r"^this run may no longer write to namespace it's \{one\}, .*given back"):
        lease.check()

    # A run that dies leaves its claim, which holds until the last request that it may have sent is over.
    monkeypatch.setattr(lease_module, "_RENEW_S", 0.2)
    dead = Lease(spark, SETTINGS, "dead")
    dead.__enter__()
    n_before = dead._deadline
    assert not dead._ended.wait(5)
    assert dead._deadline > n_before  # it was renewed
    dead._ended.set()
    dead._renewal.join()
    with pytest.raises(SyncRefused, match=r"^run dead writes"), Lease(spark, SETTINGS, "next"):
        raise AssertionError("two at once")
    monkeypatch.setattr(lease_module, "_LONGEST_REQUEST_S", -LEASE_S - 1)
    with Lease(spark, SETTINGS, "later") as later:
        later.check()
    monkeypatch.undo()
    with pytest.raises(SyncRefused, match=r"^run dead writes"), Lease(spark, SETTINGS, "next"):
        raise AssertionError("two at once")
    break_leases(spark, SETTINGS)
    with Lease(spark, SETTINGS, "last") as last:
        last._deadline = 0.0  # it was suspended, and nobody claimed meanwhile
        last.check()
        assert last._deadline > 0
        other = Lease(spark, SETTINGS, "other")
        other._claim()
        last.check()  # its time is not over
        last._deadline = 0.0
        with pytest.raises(LeaseLost, match=r"ran out: run other writes to namespace .*: run it again$"):
            last.check()
        with pytest.raises(LeaseLost):
            last.check()
    break_leases(spark, SETTINGS)
    with Lease(spark, SETTINGS, "asleep") as asleep:
        other._claim()
        other._write(None)  # it came, did its work and went
        asleep._deadline = 0.0
        with pytest.raises(LeaseLost, match=r"ran out: run other claimed namespace .* meanwhile\. What it"):
            asleep.check()
