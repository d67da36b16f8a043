"""The end of a request's time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deployments.dataplane.backend import Work
from workflows.errors import DeadlineExceededError


def check_deadline(work: Work) -> None:
    """Refuse to begin work that nobody waits for any more.

    Raises:
        DeadlineExceededError: the time is over.
    """
    if time.time() >= work.deadline_unix_s:
        raise DeadlineExceededError("the request's time was over before its work began")


@asynccontextmanager
async def within_deadline(work: Work) -> AsyncIterator[None]:
    """Cancel what runs inside when the request's time is over.

    Raises:
        DeadlineExceededError: it was.
    """
    limit = asyncio.timeout(max(0.0, work.deadline_unix_s - time.time()))
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineExceededError(
            "the request ran out of time before its work was done; send less at once, or allow more time with the "
            "header x-request-timeout-seconds"
        ) from error
