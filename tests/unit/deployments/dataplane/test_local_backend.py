import asyncio
import threading
import time
from types import SimpleNamespace

import pytest

from deployments.dataplane.backend import Work
from deployments.dataplane.image_question import ImageQuestion
from deployments.dataplane.local_backend import LocalBackend
from deployments.errors import ModelTaskError
from deployments.models.detection.object_detection_model import ObjectDetectionModel
from deployments.models.errors import UnknownModelError
from deployments.models.registry import ModelRegistry
from deployments.models.tasks import DETECTION
from tests.unit.deployments.dataplane.images import black_image, torn_image
from tests.unit.deployments.fake_backend import eventually
from workflows.compiler.compile import compile_definition
from workflows.errors import DeadlineExceededError, ImageDecodeError
from workflows.executor.dispatcher import Column, StageUnit
from workflows.ports import PredictionOptions

DEFINITION = {
    "version": "1.0",
    "inputs": [{"type": "WorkflowImage", "name": "image"}],
    "steps": [{"type": "roboflow_core/convert_grayscale@v1", "name": "grey", "image": "$inputs.image"}],
    "outputs": [{"type": "JsonField", "name": "grey", "selector": "$steps.grey.image"}],
}


class SlowDetector(ObjectDetectionModel):
    """Finds nothing, after as long as it is told."""

    def __init__(self, package):
        self.package = package
        self.batch_size = None
        self.input_hw = (32, 64)
        self.began = 0
        self.go_on = threading.Event()
        self.go_on.set()

    def needed_wh(self, image_wh, options):
        return image_wh

    def predict_batch(self, images_bgr, options, image_whs=None):
        self.began += 1
        self.go_on.wait(10)
        return SimpleNamespace(predictions=[SimpleNamespace() for _ in images_bgr])


@pytest.fixture
def backend():
    packages = {"plates/1": SimpleNamespace(aliases=(), model_id="plates/1", task_type="object-detection")}
    backend = LocalBackend(ModelRegistry(packages, SlowDetector))
    yield backend
    backend.close()


def work(seconds=10.0):
    return Work(request_id="x", deadline_unix_s=time.time() + seconds)


async def detect(backend, its_work, image=None):
    question = ImageQuestion(image=image or black_image(), tasks=DETECTION, options=PredictionOptions())
    return await backend.predict(question, "plates/1", its_work, "detector")


async def test_work_leaves_its_times_its_model_and_its_load(backend):
    its_work = work()
    await detect(backend, its_work)
    (timing,) = its_work.timings
    assert timing.step == "detector"
    assert min(timing.queue_ms, timing.transfer_ms, timing.compute_ms) >= 0
    assert its_work.model_ids == {"plates/1"}
    assert [load.model_id for load in its_work.model_loads] == ["plates/1"]


async def test_each_step_of_a_stage_leaves_its_own_times(backend):
    plan = compile_definition(DEFINITION)
    column = Column(lineage=("$inputs",), values={(0,): black_image()})
    its_work = work()
    unit = StageUnit(columns={"$inputs.image": column, "$inputs": column})
    given = await backend.run_stage(plan, plan.stages[0], unit, its_work)
    assert given["$steps.grey.image"].values[(0,)].wh == (10, 5)
    (timing,) = its_work.timings
    assert timing.step == "grey"
    assert min(timing.queue_ms, timing.transfer_ms) >= 0 < timing.compute_ms


async def test_a_loaded_model_is_no_cold_start(backend):
    await detect(backend, work())
    its_work = work()
    await detect(backend, its_work)
    assert its_work.model_loads == []


async def test_models_are_listed_added_and_removed(backend):
    assert await backend.models() == ()
    await backend.add_model("plates/1", work())
    (listed,) = await backend.models()
    assert (listed.model_id, listed.input_height, listed.input_width) == ("plates/1", 32, 64)
    await backend.remove_model("plates/1")
    assert await backend.models() == ()


async def test_an_unknown_model_is_an_error(backend):
    with pytest.raises(UnknownModelError):
        await backend.add_model("nope/1", work())


async def test_a_detector_reads_no_text(backend):
    with pytest.raises(ModelTaskError):
        await backend.read(black_image(), "plates/1", work(), "reader")


async def test_a_torn_image_is_an_error_of_its_own_request(backend):
    with pytest.raises(ImageDecodeError):
        await detect(backend, work(), torn_image())


async def test_expired_work_is_not_begun(backend):
    with pytest.raises(DeadlineExceededError):
        await detect(backend, work(-1))


async def test_the_loop_stays_free_and_work_that_waits_is_taken_back_when_cancelled(backend):
    await backend.add_model("plates/1", work())
    model = await backend._acquire("plates/1", work())
    model.go_on.clear()
    first = asyncio.create_task(detect(backend, work()))
    await eventually(lambda: model.began == 1)
    second = asyncio.create_task(detect(backend, work()))
    await asyncio.sleep(0.05)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    model.go_on.set()
    await first
    await detect(backend, work())
    assert model.began == 2


async def test_a_backend_without_warm_models_is_ready(backend):
    assert await backend.ready()


async def test_a_backend_is_ready_when_its_warm_models_have_answered():
    packages = {"plates/1": SimpleNamespace(aliases=(), model_id="plates/1", task_type="object-detection")}
    backend = LocalBackend(ModelRegistry(packages, SlowDetector), ("plates/1",))
    assert not await backend.ready()
    await backend.warm_up()
    assert await backend.ready()
    backend.close()
