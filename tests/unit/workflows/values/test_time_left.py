from __future__ import annotations

import math
import time

import pytest

from workflows.errors import DeadlineExceededError
from workflows.values.time_left import check_time, remaining_s, work_until


@pytest.mark.parametrize("deadline_unix_s", [math.inf, 4e9])
def test_work_goes_on_while_somebody_waits(deadline_unix_s):
    with work_until(deadline_unix_s):
        check_time()


def test_work_stops_when_nobody_waits_any_more():
    with work_until(time.time() - 1), pytest.raises(DeadlineExceededError, match="send less at once"):
        check_time()


def test_the_end_of_one_work_is_not_that_of_the_next():
    with work_until(time.time() - 1):
        pass
    check_time()


def test_without_a_deadline_the_limit_is_all_there_is():
    assert remaining_s(60) == 60


def test_inside_a_call_its_deadline_counts_when_it_is_nearer():
    with work_until(time.time() + 1000):
        assert remaining_s(60) == 60
        assert 900 < remaining_s(5000) <= 1000


def test_a_deadline_in_the_past_leaves_nothing():
    with work_until(time.time() - 5):
        assert remaining_s(60) == 0


def test_the_deadline_ends_with_its_call():
    with work_until(time.time() - 5), work_until(time.time() + 1000):
        assert remaining_s(60) == 60
    assert remaining_s(60) == 60
