from __future__ import annotations

import asyncio
import threading

import pytest

from deployments.models.engines.triton.background_loop import BackgroundLoop, background_loop


async def thread_name() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


def test_coroutines_run_in_its_own_thread_whoever_asks() -> None:
    loop = BackgroundLoop("servers")
    names = {loop.run(thread_name()), loop.run(thread_name())}
    loop.close()
    assert names == {"servers"}


def test_errors_come_back_to_who_asked() -> None:
    async def fail() -> None:
        raise ValueError("no")

    loop = BackgroundLoop("servers")
    with pytest.raises(ValueError, match="no"):
        loop.run(fail())
    loop.close()


def test_closing_lets_what_was_begun_end_and_stops_the_thread() -> None:
    done: list[int] = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        done.append(1)

    loop = BackgroundLoop("servers to close")
    loop.start(work())
    loop.close()
    loop.close()
    assert done == [1]
    assert all(thread.name != "servers to close" for thread in threading.enumerate())


def test_a_process_has_one() -> None:
    assert background_loop() is background_loop()
