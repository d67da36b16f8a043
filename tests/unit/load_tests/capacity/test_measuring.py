from __future__ import annotations

import numpy as np
import pytest

from load_tests.capacity.measuring import missed_schedule
from load_tests.generator import Log, empty_log


def log_of(late_s: list[float]) -> Log:
    """A request a second, each sent so much later; NaN for one that was not sent."""
    log = empty_log("open", len(late_s), float(len(late_s)))
    log.intended_s[:] = np.arange(len(late_s))
    log.sent_s[:] = log.intended_s + late_s
    log.failures.update({int(row): "not sent, too many" for row in np.flatnonzero(np.isnan(late_s))})
    return log


def test_a_schedule_that_was_kept_was_not_missed() -> None:
    assert missed_schedule(log_of([0.002] * 10)) is None


@pytest.mark.parametrize(("late_s", "says"), [([0.3] * 10, "300 ms late"), ([0.002, np.nan], "1 of 2 requests were")])
def test_a_schedule_that_was_missed_is_known_with_the_reason(late_s: list[float], says: str) -> None:
    missed = missed_schedule(log_of(late_s))
    assert missed is not None
    assert says in missed


def test_clients_have_no_schedule() -> None:
    assert missed_schedule(empty_log("closed", 0, 1.0)) is None
