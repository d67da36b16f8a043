from __future__ import annotations

import logging
from threading import Barrier, Lock, Thread

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.engines.emulated import EmulatedEngine
from deployments.models.engines.turn import computing
from deployments.models.package_layouts.contents import EmulatedModel
from deployments.models.service_times import ServiceTimes
from tests.unit.deployments.models.builders import package, tensor

ROWS = tensor([[8, 8, 40, 24, 0.9, 0]])


class Clock:
    """Remembers what was slept, and how many slept at a time."""

    def __init__(self, meet: Barrier | None = None) -> None:
        self.slept_s: list[float] = []
        self.most = 0
        self._asleep = 0
        self._lock = Lock()
        self._meet = meet

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept_s.append(seconds)
            self._asleep += 1
            self.most = max(self.most, self._asleep)
        if self._meet is not None:
            self._meet.wait(10)
        with self._lock:
            self._asleep -= 1


def engine_of(clock: Clock, *, devices: int = 1, **of_package: object) -> EmulatedEngine:
    emulated = EmulatedModel(service_times=ServiceTimes.line(8, 1.5), devices=devices, outputs={"output0": ROWS})
    return EmulatedEngine(package(emulated=emulated, **of_package), emulated, sleep=clock.sleep)


def pictures(items: int) -> dict[str, np.ndarray]:
    return {"images": np.zeros((items, 3, 64, 64), dtype=np.float32)}


@pytest.mark.parametrize(("items", "seconds"), [(1, 0.0095), (8, 0.020)])
def test_a_run_takes_the_stated_time_and_gives_the_stated_answer(items: int, seconds: float) -> None:
    clock = Clock()
    answer = engine_of(clock).run(pictures(items))
    assert clock.slept_s == pytest.approx([seconds])
    assert list(answer) == ["output0"]
    assert_array_equal(answer["output0"], [ROWS] * items)


def test_it_looks_like_a_network_of_such_pictures() -> None:
    engine = engine_of(Clock(), static_batch_size=2)
    assert [(spec.name, spec.shape) for spec in engine.inputs] == [("images", (2, 3, 64, 64))]
    assert [(spec.name, spec.shape) for spec in engine.outputs] == [("output0", (2, 1, 6))]
    assert engine.device == "emulated"


@pytest.mark.parametrize(
    ("limits", "items", "says"),
    [
        ({"max_batch_size": 4}, 5, "a batch of 5; the network takes at least 1, at most 4"),
        ({"static_batch_size": 2}, 1, "a batch of 1; the network takes 2 alone"),
        ({}, 0, "a batch of 0; the network takes at least 1"),
    ],
)
def test_batches_that_a_network_would_refuse_are_refused(limits: dict[str, int], items: int, says: str) -> None:
    clock = Clock()
    with pytest.raises(ValueError, match=says):
        engine_of(clock, **limits).run(pictures(items))
    assert clock.slept_s == []


def run_at_once(engine: EmulatedEngine, calls: int, turn: Lock) -> None:
    def call() -> None:
        with computing(turn):
            engine.run(pictures(1))

    threads = [Thread(target=call) for _ in range(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_one_device_runs_one_batch_at_a_time_and_keeps_the_turn() -> None:
    clock = Clock()
    run_at_once(engine_of(clock), 4, Lock())
    assert (len(clock.slept_s), clock.most) == (4, 1)


def test_as_many_batches_run_as_there_are_devices() -> None:
    clock = Clock(Barrier(2))  # it would break if two did not meet
    run_at_once(engine_of(clock, devices=2), 4, Lock())
    assert (len(clock.slept_s), clock.most) == (4, 2)


def test_that_nothing_is_computed_is_said_loudly(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        engine_of(Clock(), model_id="emulated/1")
    (record,) = caplog.records
    assert record.getMessage().startswith("EMULATED ACCELERATOR: no network runs")
    assert record.model_id == "emulated/1"
