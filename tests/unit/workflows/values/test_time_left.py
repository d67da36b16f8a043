from __future__ import annotations

import math
import time

import pytest

from workflows.errors import DeadlineExceededError
from workflows.values.time_left import check_time, work_until


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
