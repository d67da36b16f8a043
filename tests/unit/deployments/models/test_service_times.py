from __future__ import annotations

import pytest

from deployments.models.service_times import ServiceTimes


@pytest.mark.parametrize(("items", "ms"), [(1, 9.5), (2, 11.0), (2.5, 11.75), (8, 20.0), (0, 9.5)])
def test_a_line_is_a_fixed_time_and_one_for_each_item(items: float, ms: float) -> None:
    assert ServiceTimes.line(8, 1.5).ms(items) == pytest.approx(ms)


@pytest.mark.parametrize(
    ("items", "ms"),
    [(1, 10), (2, 12), (4, 16), (6, 26), (8, 36), (10, 46)],  # slopes 2 from 1 to 4, 5 from 4 to 8 and on
)
def test_between_the_points_of_a_table_lines_are_drawn(items: float, ms: float) -> None:
    assert ServiceTimes(ms_by_batch={8: 36, 1: 10, 4: 16}).ms(items) == pytest.approx(ms)


def test_one_batch_alone_is_filled_up_and_then_takes_its_share_more() -> None:
    times = ServiceTimes(ms_by_batch={8: 40})
    assert [times.ms(items) for items in (1, 8, 16)] == [40, 40, 80]


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ({}, "one batch size at least"),
        ({0: 1.0}, "sizes are 1 or more"),
        ({1: 0.0}, "times more than 0"),
        ({1: float("nan")}, "times more than 0"),
        ({1: 9.0, 8: 5.0}, "batch 8 takes 5 ms, less than the 9 ms of batch 1"),
    ],
)
def test_what_no_device_does_is_refused(points: dict[int, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ServiceTimes(ms_by_batch=points)
