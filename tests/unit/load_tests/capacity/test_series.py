from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from load_tests.capacity.measuring import Point
from load_tests.capacity.series import Series, limits_of, predicted_batch
from load_tests.capacity.tables import as_markdown
from load_tests.results import Machine

MACHINE = Machine(platform="Linux", cpu="a CPU", cpus=2, memory_gib=23.0, load_1m=0.1)


def point(**changes: Any) -> Point:
    """Four devices of 20 + 10 n ms, 8 at most: 80 a second each; 2 + 1 + 1 ms of CPU a request."""
    values: dict[str, Any] = {
        "accelerators": 4,
        "replicas": 4,
        "routers": 1,
        "fixed_ms": 20,
        "per_item_ms": 10,
        "max_batch_items": 8,
        "offered_rps": None,
        "clients": 96,
        "seconds": 10,
        "requests_s": 300,
        "p50_ms": 250,
        "p99_ms": 400,
        "errors": 0,
        "batch": 7.9,
        "cpu_ms": {"WorkflowRouter": 2.0, "ObjectDetector": 1.0, "client": 1.0},
        "cores_busy": 1.2,
        "rss_mib": 180,
        "pss_mib": 100,
        "start_s": 20,
    }
    return Point(**{**values, **changes})


def test_the_formula_knows_three_limits() -> None:
    assert limits_of(point(), point(), cores=2) == (320, 500, 500)
    assert limits_of(point(routers=2), point(), cores=2) == (320, 1000, 500)


@pytest.mark.parametrize(("offered_rps", "batch"), [(None, 8), (200, 2), (40, 1)])  # 50 each: n = 0.05 * (20 + 10 n)
def test_batches_are_full_at_the_peak_and_gather_below_it(offered_rps: float | None, batch: float) -> None:
    assert predicted_batch(point(offered_rps=offered_rps)) == pytest.approx(batch, abs=1e-3)


def series(**points: Any) -> Series:
    given = {"scaling": (), "partial": (), "routers": ()} | points
    return Series(made_at=datetime(2026, 1, 2, tzinfo=UTC), commit="0123456789", versions={}, machine=MACHINE, **given)


def test_what_was_measured_stands_beside_the_formula() -> None:
    text = as_markdown(series(scaling=(point(),), partial=(point(offered_rps=200.0, requests_s=200.0, batch=2.1),)))
    assert "| 4 | 4 | 300.0 | 320.0 | accelerators | -6% | 7.90 | 8.00 |" in text
    assert "| 4 | 200.0 | 200.0 | 2.10 | 2.00 | +5% |" in text


def test_routers_are_shown_with_their_cpu() -> None:
    text = as_markdown(series(routers=(point(routers=2, requests_s=450, batch=None),)))
    # 450 requests of 2 ms; alone they would carry 1,000, the machine 500
    assert "| 2 | 450 | 2.00 | 0.90 | 1.00 | 1.00 | 0.00 | 1.20 | 1000 | 500 | -10% |" in text


def test_nothing_measured_is_the_machine_alone() -> None:
    assert as_markdown(series()).startswith("2026-01-02, commit 0123456, 2 cores (a CPU), 23 GiB")


def test_a_point_of_which_the_generator_was_late_is_marked() -> None:
    partly = point(offered_rps=200.0, late_p99_ms=80.0, schedule_missed="late"), point(offered_rps=40.0, late_p99_ms=2)
    late, early = as_markdown(series(partial=partly)).splitlines()[-2:]
    assert late.endswith("| 80.0 LATE |")
    assert early.endswith("| 2.0 |")
