"""How often a call is made to say how long it takes."""

from __future__ import annotations

import pytest

from deployments.models.timing import median_ms


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize(
    ("most_runs", "timing_s", "expected"),
    [(20, 0.0, 1 + 3), (5, 3600.0, 1 + 5), (1, 3600.0, 1 + 3)],  # the first call does not count
)
def test_a_call_is_made_three_times_at_least_and_no_more_often_than_said(device, most_runs, timing_s, expected):
    made = []
    took_ms = median_ms(lambda: made.append(1), device=device, most_runs=most_runs, timing_s=timing_s)
    assert len(made) == expected
    assert took_ms >= 0
