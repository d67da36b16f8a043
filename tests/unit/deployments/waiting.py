"""Waiting for what nothing tells of."""

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], bool], within_s: float = 5.0) -> None:
    """Give other tasks turns until a condition holds.

    Raises:
        TimeoutError: it does not.
    """
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0)
