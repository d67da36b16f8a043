from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from deployments.models.errors import (
    InvalidModelIdError,
    ModelLoadError,
    ModelPackageError,
    ModelUnavailableError,
    UnknownModelError,
)
from deployments.models.package import ModelPackage
from deployments.models.registry import FAILURE_KEPT_S, ModelRegistry, ModelRow
from tests.unit.deployments.fake_backend import eventually
from tests.unit.deployments.models.builders import package

SERVED = ("plates/1", "plates/2", "cars/1", "coco/3")


@dataclass
class FakeModel:
    package: ModelPackage
    batch_size: int | None = None
    input_hw: tuple[int, int] = (64, 96)


class Loader:
    """Makes fake models, remembers which, and waits for `gate` when it is closed."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.failures: dict[str, Exception] = {}
        self.gates: dict[str, threading.Event] = {}

    def __call__(self, package: ModelPackage) -> FakeModel:
        self.loads.append(package.model_id)
        if package.model_id in self.gates:
            assert self.gates[package.model_id].wait(timeout=10)
        if package.model_id in self.failures:
            raise self.failures[package.model_id]
        return FakeModel(package)


Make = Callable[..., ModelRegistry[FakeModel]]


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def make(loader: Loader) -> Make:
    def of(**options: object) -> ModelRegistry[FakeModel]:
        return ModelRegistry({model_id: package(model_id=model_id) for model_id in SERVED}, loader, **options)

    return of


async def get(registry: ModelRegistry[FakeModel], model_id: str) -> FakeModel:
    return (await registry.acquire(model_id)).model


def loaded(registry: ModelRegistry[FakeModel]) -> list[str]:
    return [row.model_id for row in registry.describe()]


async def test_a_model_is_loaded_when_first_asked_for_and_kept(make: Make, loader: Loader) -> None:
    registry = make()
    first, second = await get(registry, "plates/1"), await get(registry, "plates/1")
    assert first is second
    assert loader.loads == ["plates/1"]


async def test_a_hundred_that_ask_at_the_same_time_cause_one_load(make: Make, loader: Loader) -> None:
    registry = make()
    models = await asyncio.gather(*(get(registry, "plates/1") for _ in range(100)))
    assert len({id(model) for model in models}) == 1
    assert loader.loads == ["plates/1"]


def test_threads_that_ask_at_the_same_time_cause_one_load(make: Make, loader: Loader) -> None:
    registry = make()
    loader.gates["plates/1"] = threading.Event()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(registry.get_blocking, "plates/1") for _ in range(8)]
        loader.gates["plates/1"].set()
        assert len({id(each.result()) for each in asked}) == 1
    assert loader.loads == ["plates/1"]


async def test_a_load_blocks_no_request_for_a_loaded_model(make: Make, loader: Loader) -> None:
    registry = make()
    await get(registry, "cars/1")
    loader.gates["plates/1"] = threading.Event()
    slow = asyncio.create_task(get(registry, "plates/1"))
    await asyncio.sleep(0)
    assert (await asyncio.wait_for(get(registry, "cars/1"), timeout=5)).package.model_id == "cars/1"
    assert not slow.done()
    loader.gates["plates/1"].set()
    assert (await slow).package.model_id == "plates/1"


async def test_two_models_load_at_the_same_time(make: Make, loader: Loader) -> None:
    registry = make()
    loader.gates["plates/1"] = threading.Event()
    slow = asyncio.create_task(get(registry, "plates/1"))
    assert (await asyncio.wait_for(get(registry, "plates/2"), timeout=5)).package.model_id == "plates/2"
    loader.gates["plates/1"].set()
    await slow


async def test_who_stops_waiting_does_not_stop_the_load_of_the_others(make: Make, loader: Loader) -> None:
    registry = make()
    loader.gates["plates/1"] = threading.Event()
    impatient = asyncio.create_task(get(registry, "plates/1"))
    patient = asyncio.create_task(get(registry, "plates/1"))
    await asyncio.sleep(0.01)
    impatient.cancel()
    await asyncio.sleep(0.01)
    loader.gates["plates/1"].set()
    assert (await asyncio.wait_for(patient, timeout=5)).package.model_id == "plates/1"
    assert impatient.cancelled()
    assert loader.loads == ["plates/1"]


async def test_a_load_that_failed_is_tried_again_after_a_while(make: Make, loader: Loader) -> None:
    now_s = [100.0]
    registry = make(clock=lambda: now_s[0])
    loader.failures["plates/1"] = ModelLoadError("broken", "plates/1")
    told = []
    for _ in range(5):
        with pytest.raises(ModelLoadError, match="broken") as caught:
            await get(registry, "plates/1")
        told.append(caught.value)
    assert loader.loads == ["plates/1"]
    assert len({id(error) for error in told}) == 5
    assert {error.model_id for error in told} == {"plates/1"}
    loader.failures.clear()
    now_s[0] += FAILURE_KEPT_S
    assert (await get(registry, "plates/1")).package.model_id == "plates/1"
    assert loader.loads == ["plates/1"] * 2


@pytest.mark.parametrize("error", [ModelUnavailableError("away", "plates/1"), MemoryError("full")])
async def test_what_may_be_better_at_once_is_tried_again_at_once(make: Make, loader: Loader, error: Exception) -> None:
    registry = make(clock=lambda: 100.0)
    loader.failures["plates/1"] = error
    for _ in range(2):
        with pytest.raises(type(error)):
            await get(registry, "plates/1")
    assert loader.loads == ["plates/1"] * 2


@pytest.mark.parametrize("forget", [lambda registry: registry.remove("plates/1"), lambda registry: registry.clear()])
async def test_a_model_that_failed_and_was_removed_is_tried_again_at_once(
    make: Make, loader: Loader, forget: Callable[[ModelRegistry[FakeModel]], object]
) -> None:
    registry = make(clock=lambda: 100.0)
    loader.failures["plates/1"] = ModelLoadError("broken", "plates/1")
    with pytest.raises(ModelLoadError):
        await get(registry, "plates/1")
    loader.failures.clear()
    forget(registry)
    assert (await get(registry, "plates/1")).package.model_id == "plates/1"


async def test_the_error_of_a_load_that_nobody_waits_for_any_more_is_no_noise() -> None:
    gate, failed = threading.Event(), threading.Event()

    def fail(package: ModelPackage) -> FakeModel:
        assert gate.wait(timeout=10)
        failed.set()
        raise ModelLoadError("broken", package.model_id)

    said: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(str(context["message"])))
    registry = ModelRegistry({"plates/1": package(model_id="plates/1")}, fail)
    impatient = asyncio.create_task(get(registry, "plates/1"))
    await asyncio.sleep(0.01)
    impatient.cancel()
    await asyncio.sleep(0.01)
    gate.set()
    await eventually(failed.is_set)
    await asyncio.sleep(0.1)
    del impatient
    gc.collect()
    assert said == []


@pytest.mark.parametrize("forget", [lambda registry: registry.remove("plates/1"), lambda registry: registry.clear()])
async def test_a_model_removed_during_its_load_is_not_there_afterwards(
    make: Make, loader: Loader, forget: Callable[[ModelRegistry[FakeModel]], object]
) -> None:
    registry = make()
    loader.gates["plates/1"] = threading.Event()
    first = asyncio.create_task(get(registry, "plates/1"))
    await asyncio.sleep(0.01)
    assert forget(registry) in (True, None)
    second = asyncio.create_task(get(registry, "plates/1"))
    await asyncio.sleep(0.01)
    assert forget(registry) in (True, None)
    loader.gates["plates/1"].set()
    models = await asyncio.gather(first, second)
    assert models[0] is not models[1]  # whoever asks after the removal gets a model loaded since
    assert loaded(registry) == []
    assert not registry.remove("plates/1")
    kept = await get(registry, "plates/1")
    assert all(kept is not model for model in models)
    assert loaded(registry) == ["plates/1"]


async def test_an_old_load_that_ends_late_does_not_replace_a_newer_one(make: Make, loader: Loader) -> None:
    registry = make()
    old, new = threading.Event(), threading.Event()
    loader.gates["plates/1"] = old
    first = asyncio.create_task(get(registry, "plates/1"))
    await eventually(lambda: len(loader.loads) == 1)
    registry.remove("plates/1")
    loader.gates["plates/1"] = new
    second = asyncio.create_task(get(registry, "plates/1"))
    await eventually(lambda: len(loader.loads) == 2)
    new.set()
    newer = await second
    old.set()
    assert await first is not newer
    assert await get(registry, "plates/1") is newer


async def test_the_least_recently_used_model_makes_room(make: Make, loader: Loader) -> None:
    registry = make(capacity=2)
    for model_id in ("plates/1", "plates/2", "plates/1", "cars/1"):
        await get(registry, model_id)
    assert loaded(registry) == ["plates/1", "cars/1"]
    await get(registry, "plates/2")
    assert loader.loads == ["plates/1", "plates/2", "cars/1", "plates/2"]


async def test_pinned_models_never_make_room(make: Make) -> None:
    registry = make(capacity=2, pinned_ids=["plates/1"])
    for model_id in ("plates/1", "plates/2", "cars/1", "coco/3"):
        await get(registry, model_id)
    assert loaded(registry) == ["plates/1", "coco/3"]


async def test_a_new_model_stays_even_when_all_room_is_pinned(make: Make) -> None:
    registry = make(capacity=1, pinned_ids=["plates/1"])
    for model_id in ("plates/1", "plates/2", "cars/1"):
        await get(registry, model_id)
    assert loaded(registry) == ["plates/1", "cars/1"]


async def test_a_removed_model_is_loaded_again_when_asked_for(make: Make, loader: Loader) -> None:
    registry = make(pinned_ids=["plates/1"])
    await get(registry, "plates/1")
    assert registry.remove("plates/1")
    assert not registry.remove("plates/1")
    assert loaded(registry) == []
    await get(registry, "plates/1")
    assert loader.loads == ["plates/1", "plates/1"]


async def test_clearing_keeps_pinned_models(make: Make) -> None:
    registry = make(pinned_ids=["plates/1"])
    await get(registry, "plates/1")
    await get(registry, "cars/1")
    registry.clear()
    assert loaded(registry) == ["plates/1"]


async def test_loaded_models_are_described(make: Make) -> None:
    registry = make()
    assert registry.describe() == ()
    await get(registry, "plates/1")
    assert registry.describe() == (
        ModelRow(model_id="plates/1", task_type="object-detection", batch_size=None, input_height=64, input_width=96),
    )


async def test_only_those_who_waited_are_told_the_time_of_a_load(make: Make) -> None:
    registry = make()
    first, second = await registry.acquire("plates/1"), await registry.acquire("plates/1")
    assert first.load_s is not None
    assert second.load_s is None


async def test_short_names_are_replaced(make: Make) -> None:
    registry = make()
    assert (await registry.acquire("yolov8n-640")).model_id == "coco/3"
    assert registry.remove("yolov8n-640")


async def test_an_unknown_id_names_the_nearest(make: Make) -> None:
    with pytest.raises(UnknownModelError, match=r"no model 'plate/2'; did you mean 'plates/2'\?") as caught:
        await get(make(), "plate/2")
    assert caught.value.model_id == "plate/2"


async def test_an_unknown_id_like_no_other_names_all_that_are_served(make: Make) -> None:
    with pytest.raises(UnknownModelError, match="models here: cars/1, coco/3, plates/1, plates/2"):
        await get(make(), "zzz")


async def test_an_unknown_short_name_says_what_it_stands_for(make: Make) -> None:
    with pytest.raises(UnknownModelError, match=r"'rfdetr-base' \(that is 'coco/36'\)"):
        await get(make(), "rfdetr-base")


async def test_what_is_no_id_is_not_looked_up(make: Make, loader: Loader) -> None:
    with pytest.raises(InvalidModelIdError):
        await get(make(), "../../etc/passwd")
    assert loader.loads == []


def test_a_registry_needs_room_for_one_model(make: Make) -> None:
    with pytest.raises(ValueError, match="at least one"):
        make(capacity=0)


def test_a_pinned_id_must_be_served(make: Make) -> None:
    with pytest.raises(UnknownModelError, match="plates/9"):
        make(pinned_ids=["plates/9"])


async def test_a_model_is_found_by_its_aliases_and_loaded_once(loader: Loader) -> None:
    registry = ModelRegistry({"plates/1": package(aliases=("plates", "eu-plates"))}, loader)
    models = [await get(registry, name) for name in ("plates", "plates/1", "eu-plates")]
    assert (len({id(model) for model in models}), loader.loads) == (1, ["plates/1"])
    assert registry.served_ids == ("plates/1",)


async def test_who_asks_for_a_broken_package_is_told_what_is_wrong_with_it(loader: Loader) -> None:
    broken = ModelPackageError("weights.onnx is empty", "plates/9")
    registry = ModelRegistry({"plates/1": package(model_id="plates/1")}, loader, refused={"plates/9": broken})
    for _ in range(2):
        with pytest.raises(ModelPackageError, match=r"model 'plates/9' cannot be served: weights\.onnx is empty"):
            await get(registry, "plates/9")
    assert (await get(registry, "plates/1")).package.model_id == "plates/1"
    assert registry.served_ids == ("plates/1",)
