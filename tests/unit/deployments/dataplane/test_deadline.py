import asyncio
import time

import pytest

from deployments.dataplane.backend import Work
from deployments.dataplane.deadline import check_deadline, within_deadline
from workflows.errors import DeadlineExceededError


def work(seconds):
    return Work(request_id="x", deadline_unix_s=time.time() + seconds)


def test_work_whose_time_is_over_is_not_begun():
    with pytest.raises(DeadlineExceededError):
        check_deadline(work(-1))


def test_work_in_time_is_begun():
    check_deadline(work(10))


async def test_what_takes_too_long_is_cancelled():
    with pytest.raises(DeadlineExceededError):
        async with within_deadline(work(0.02)):
            await asyncio.sleep(30)


async def test_what_is_done_in_time_is_left_alone():
    async with within_deadline(work(10)):
        await asyncio.sleep(0)


async def test_a_timeout_of_something_else_stays_what_it_is():
    with pytest.raises(TimeoutError):
        async with within_deadline(work(10)):
            raise TimeoutError("of something else")
