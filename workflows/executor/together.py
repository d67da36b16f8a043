"""Work of one request that is done side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

Done = TypeVar("Done")


async def together(works: Sequence[Coroutine[Any, Any, Done]]) -> list[Done]:
    """What each gives, in order; the first failure stops the others, and goes on once they are over."""
    if len(works) == 1:
        return [await works[0]]
    async with FirstFailure() as group:
        tasks = [group.create_task(work) for work in works]
    return [task.result() for task in tasks]


class FirstFailure(asyncio.TaskGroup):
    """A task group that raises the first failure itself instead of a group with it."""

    async def __aexit__(self, *exc_info: Any) -> None:
        try:
            await super().__aexit__(*exc_info)
        except BaseExceptionGroup as group:
            raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
