"""The backend of a cluster, over handles that lead to three lines each."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import numpy as np
import pytest
from ray.exceptions import ActorUnavailableError
from ray.serve._private.common import DeploymentID
from ray.serve.exceptions import DeploymentUnavailableError

from deployments.dataplane.backend import ModelLoad, Work
from deployments.dataplane.image_question import ImageQuestion
from deployments.dataplane.messages import CallAnswer, NetworkCall, PredictCall, ReadCall, StageCall, StageDone
from deployments.dataplane.tensor_question import NetworkDescription, TensorQuestion
from deployments.errors import ModelTaskError
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.errors import UnknownModelError
from deployments.models.registry import ModelRow
from deployments.models.tasks import DETECTION
from deployments.router.cluster_backend import ClusterBackend, pixels_of, size_of
from deployments.router.placement import Placement as WhereModelsRun
from deployments.settings import CoalescingLimits, RouterTuning
from tests.unit.workflows.builders import detections
from workflows.compiler.compile import compile_definition
from workflows.errors import DeadlineExceededError
from workflows.executor.dispatcher import Column, StageUnit
from workflows.ports import PredictionOptions
from workflows.values.image import Image
from workflows.values.image_codec import encode_jpeg
from workflows.values.origin import Placement
from workflows.values.recognized_text import RecognizedText
from workflows.values.video import VideoMetadata

NOTHING = ScoredBoxes(
    xyxy=np.zeros((0, 4), np.float32),
    confidence=np.zeros(0, np.float32),
    class_id=np.zeros(0, np.int64),
    class_names=(),
)
STAMP = "vehicle-registration-plates-trudk/2"


class Response:
    """What a handle's method gives: to be awaited, or cancelled."""

    def __init__(self, handle, outcome) -> None:
        self._handle = handle
        self._outcome = outcome

    def __await__(self):
        return self._given().__await__()

    async def _given(self):
        await self._handle.gate.wait()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def cancel(self) -> None:
        self._handle.cancelled += 1


class Broadcast:
    def __init__(self, outcomes) -> None:
        self._outcomes = outcomes

    async def results_async(self, timeout_s):
        for outcome in self._outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return self._outcomes


class FakeHandle:
    """A handle to a deployment whose every method answers with the next outcome, or with `answer(call)`."""

    deployment_id = DeploymentID(name="d", app_name="a")

    def __init__(self, answer=None, replicas=()) -> None:
        self.calls = []
        self.outcomes = []
        self.cancelled = 0
        self.broadcasts = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._answer = answer
        self._replicas = replicas

    def __getattr__(self, name):
        handle = self

        class Method:
            def remote(self, call):
                handle.calls.append((name, call))
                return Response(handle, handle.outcomes.pop(0) if handle.outcomes else handle._answer(call))

        return Method()

    def broadcast(self, method, *args):
        self.broadcasts.append((method, *args))
        return Broadcast([replica(method, *args) for replica in self._replicas])


def answer(results, **more) -> CallAnswer:
    return CallAnswer(results=results, replica_id="r", compute_ms=2.0, **more)


def finds_nothing(call: PredictCall) -> CallAnswer:
    return answer([NOTHING for _ in call.questions])


def reads_sizes(call: ReadCall) -> CallAnswer:
    return answer([replace(RecognizedText.nothing(), text=f"{image.wh[0]}") for image in call.images])


def image(width: int = 4) -> Image:
    wh = (width, 3)
    jpeg = encode_jpeg(np.zeros((wh[1], wh[0], 3), np.uint8))
    return Image(placement=Placement.of_upload("image", wh), video=VideoMetadata.of_still("image"), wh=wh, encoded=jpeg)


def question() -> ImageQuestion:
    return ImageQuestion(image=image(), tasks=DETECTION, options=PredictionOptions())


def work(request_id: str = "r") -> Work:
    return Work(request_id=request_id, deadline_unix_s=time.time() + 60)


def backend(detector=None, reader=None, worker=None, **tuning) -> ClusterBackend:
    unused = FakeHandle()
    return ClusterBackend(detector or unused, reader or unused, worker, RouterTuning(**tuning))


async def test_images_of_requests_that_come_together_share_a_call():
    reader = FakeHandle(reads_sizes)
    cluster = backend(reader=reader)
    works = [work("a"), work("b")]
    texts = await asyncio.gather(
        cluster.read(image(5), "doctr/default", works[0], "ocr"),
        cluster.read(image(7), "doctr/default", works[1], "ocr"),
    )
    assert [text.text for text in texts] == ["5", "7"]
    ((method, call),) = reader.calls
    assert method == "read"
    assert call.model_id == "doctr/default"
    assert len(call.images) == len(call.deadlines_unix_s) == 2
    assert cluster.queues["text_reader"].counters.shared_calls == 1


async def test_the_work_learns_its_times_models_and_loads():
    load = ModelLoad(model_id=STAMP, seconds=0.5)
    detector = FakeHandle(lambda call: answer([NOTHING for _ in call.questions], model_loads=(load,)))
    cluster, one = backend(detector), work()
    await asyncio.gather(
        cluster.predict(question(), STAMP, one, "plates"),
        cluster.predict(question(), STAMP, one, "plates"),
    )
    assert [timing.step for timing in one.timings] == ["plates", "plates"]
    assert one.timings[0].compute_ms == 2.0
    assert one.model_ids == {STAMP}
    assert one.model_loads == [load]


async def test_short_names_of_a_model_share_calls_with_its_id():
    detector = FakeHandle(finds_nothing)
    cluster = backend(detector)
    await asyncio.gather(
        cluster.predict(question(), "yolov8n-640", work(), "a"),
        cluster.predict(question(), "coco/3", work(), "b"),
    )
    assert [call.model_id for _, call in detector.calls] == ["coco/3"]


async def test_a_call_whose_replica_died_is_sent_again():
    detector = FakeHandle(finds_nothing)
    detector.outcomes = [ActorUnavailableError("gone", None)]
    cluster = backend(detector)
    assert await cluster.predict(question(), STAMP, work(), "a") is NOTHING
    assert len(detector.calls) == 2


async def test_a_requester_that_goes_away_cancels_the_call():
    detector = FakeHandle(finds_nothing)
    detector.gate.clear()
    cluster = backend(detector)
    task = asyncio.ensure_future(cluster.predict(question(), STAMP, work(), "a"))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task])
    for _ in range(100):  # turns of the loop, until the call has seen that nobody waits
        await asyncio.sleep(0)
    assert detector.cancelled == 1
    counters = cluster.queues["object_detector"].counters
    assert (counters.in_flight_calls, counters.loading_calls, counters.in_flight_items) == (0, 0, 0)


DEFINITION = {
    "version": "1.0",
    "inputs": [{"type": "InferenceImage", "name": "image"}],
    "steps": [
        {
            "type": "roboflow_core/absolute_static_crop@v1",
            "name": "cut",
            "images": "$inputs.image",
            "x_center": 2,
            "y_center": 1,
            "width": 2,
            "height": 2,
        }
    ],
    "outputs": [{"type": "JsonField", "name": "crops", "selector": "$steps.cut.crops"}],
}


CUTS = {
    "version": "1.0",
    "inputs": [
        {"type": "WorkflowImage", "name": "image"},
        {"type": "WorkflowBatchInput", "name": "boxes", "kind": ["object_detection_prediction"]},
    ],
    "steps": [{"type": "DynamicCrop", "name": "cut", "images": "$inputs.image", "predictions": "$inputs.boxes"}],
    "outputs": [{"type": "JsonField", "name": "crops", "selector": "$steps.cut.crops"}],
}


def stage_and_unit():
    plan = compile_definition(DEFINITION)
    (stage,) = plan.stages
    (selector,) = stage.needs
    lineage = plan.steps["cut"].lineage
    return plan, stage, StageUnit(columns={selector: Column(lineage=lineage, values={(0,): image()})})


async def test_units_of_one_stage_share_a_call_that_carries_the_plan_once():
    worker = FakeHandle(lambda call: answer([StageDone(columns={}, step_ms={}) for _ in call.units]))
    plan, stage, unit = stage_and_unit()
    cluster = backend(worker=worker)
    await asyncio.gather(cluster.run_stage(plan, stage, unit, work()), cluster.run_stage(plan, stage, unit, work()))
    ((method, call),) = worker.calls
    assert method == "run_stage"
    assert isinstance(call, StageCall)
    assert (call.fingerprint, call.definition_json, call.stage_index) == (plan.fingerprint, plan.definition_json, 0)
    assert len(call.units) == 2


async def test_each_step_of_a_stage_has_its_own_time_and_the_first_bears_the_way():
    worker = FakeHandle(lambda call: answer([StageDone(columns={}, step_ms={"first": 0.5, "second": 0.25})]))
    plan, stage, unit = stage_and_unit()
    one = work()
    await backend(worker=worker).run_stage(plan, stage, unit, one)
    first, second = one.timings
    assert (first.step, first.compute_ms) == ("first", 0.5)
    assert first.transfer_ms >= 1.25  # the call computed for 2 ms, of which 0.75 for this unit
    assert (second.step, second.queue_ms, second.transfer_ms, second.compute_ms) == ("second", 0.0, 0.0, 0.25)


async def test_without_a_transform_worker_stages_run_in_the_router():
    plan, stage, unit = stage_and_unit()
    one = work()
    given = await backend(worker=None).run_stage(plan, stage, unit, one)
    (crop,) = [value for column in given.values() for value in column.values.values() if isinstance(value, Image)]
    assert crop.wh == (2, 2)
    assert [timing.step for timing in one.timings] == ["cut"]


async def test_in_the_router_too_a_unit_is_not_gone_on_with_when_its_time_is_over():
    class Late:
        async def run(self, deadlines_unix_s, compute):
            return answer(compute([0, 1]))

    plan, stage, unit = stage_and_unit()
    cluster, now_s = backend(worker=None), time.time()
    cluster._own_transforms = Late()
    key = (plan.fingerprint, stage.index)
    over, done = (await cluster._send_stage(key, [(plan, unit)] * 2, [now_s - 1, now_s + 60], False)).results
    assert isinstance(over, DeadlineExceededError)
    assert isinstance(done, StageDone)


def test_an_image_that_a_unit_holds_twice_weighs_once():
    picture = image()
    column = Column(lineage=("a",), values={(0,): picture, (1,): picture, (2,): 5})
    assert size_of(StageUnit(columns={"$inputs.a": column, "$inputs.b": column})) == len(picture.encoded)
    assert size_of(StageUnit(columns={})) == 0


def flat_png(width: int = 8000, height: int = 8000) -> Image:
    """An image that claims many pixels; nobody decodes it here."""
    return Image(
        placement=Placement.of_upload("image", (width, height)),
        video=VideoMetadata.of_still("image"),
        wh=(width, height),
        encoded=b"\x89PNG",
    )


@pytest.mark.parametrize(("wh", "calls"), [((8000, 8000), 8), ((4032, 3024), 1), ((1280, 720), 1)])
async def test_images_that_become_large_where_they_are_decoded_do_not_share_a_call(wh, calls):
    detector, reader = FakeHandle(finds_nothing), FakeHandle(reads_sizes)
    cluster = backend(detector, reader)
    asked = replace(question(), image=flat_png(*wh))
    await asyncio.gather(*(cluster.predict(asked, STAMP, work(), "plates") for _ in range(8)))
    await asyncio.gather(*(cluster.read(asked.image, "doctr/default", work(), "ocr") for _ in range(8)))
    assert (len(detector.calls), len(reader.calls)) == (calls, calls)
    assert cluster.queues["object_detector"].counters.sent_bytes == 8 * len(asked.image.encoded)


def cutting_unit(boxes: int, picture: Image):
    plan = compile_definition(CUTS)
    (stage,) = plan.stages
    found = detections(*[[0, 0, 1, 1]] * boxes, image_wh=picture.wh)
    columns = {
        "$inputs": Column(lineage=("$inputs",), values={(0,): True}),
        "$inputs.image": Column(lineage=("$inputs",), values={(0,): picture}),
        "$inputs.boxes": Column(lineage=("$inputs",), values={(0,): found}),
    }
    return plan, stage, StageUnit(columns=columns)


@pytest.mark.parametrize(("boxes", "expected_px"), [(0, 12_000_000), (1, 24_000_000), (10, 132_000_000)])
def test_a_unit_that_cuts_counts_a_whole_image_for_each_detection(boxes, expected_px):
    assert pixels_of(*cutting_unit(boxes, flat_png(4000, 3000))) == expected_px


def test_a_unit_that_cuts_nothing_counts_its_images_once():
    assert pixels_of(*stage_and_unit()) == 4 * 3


async def test_units_that_cut_out_much_do_not_share_a_call():
    worker = FakeHandle(lambda call: answer([StageDone(columns={}, step_ms={}) for _ in call.units]))
    cluster = backend(worker=worker)
    for boxes in (10, 1):
        plan, stage, unit = cutting_unit(boxes, flat_png(4000, 3000))
        await asyncio.gather(*(cluster.run_stage(plan, stage, unit, work()) for _ in range(4)))
    assert [len(call.units) for _, call in worker.calls] == [1, 1, 1, 1, 4]


def description(model_id: str) -> ModelRow:
    return ModelRow(model_id=model_id, task_type="object-detection", batch_size=None, input_height=640, input_width=640)


NETWORK = NetworkDescription(model_id=STAMP, inputs=(), outputs=(), max_batch_size=None)


def tensors(rows: int = 1, width: int = 2) -> TensorQuestion:
    return TensorQuestion(feeds={"x": np.full((rows, width), rows, np.float32)})


def serves_tensors() -> FakeHandle:
    """Describes its network first, then doubles what it is sent."""

    def told(call):
        if isinstance(call, NetworkCall):
            return NETWORK
        return answer([{"twice": each.feeds["x"] * 2} for each in call.questions])

    return FakeHandle(told)


async def test_tensors_of_requests_that_fit_together_share_a_call():
    detector = serves_tensors()
    cluster = backend(detector=detector)
    assert await cluster.network(STAMP, work()) == NETWORK
    answers = await asyncio.gather(
        cluster.infer(tensors(1), STAMP, work("a"), "tensors"),
        cluster.infer(tensors(3), STAMP, work("b"), "tensors"),
        cluster.infer(tensors(1, width=4), STAMP, work("c"), "tensors"),
    )
    assert [found["twice"].shape for found in answers] == [(1, 2), (3, 2), (1, 4)]
    calls = [call for method, call in detector.calls if method == "infer"]
    assert [len(call.questions) for call in calls] == [2, 1]


async def test_tensors_go_where_the_task_of_the_model_is_served():
    detector, reader = FakeHandle(), serves_tensors()
    detector.outcomes.append(ModelTaskError("reads"))
    found = await backend(detector=detector, reader=reader).infer(tensors(), "doctr/default", work(), "tensors")
    assert found["twice"].tolist() == [[2, 2]]
    assert [method for method, _ in detector.calls] == ["network"]
    assert [method for method, _ in reader.calls] == ["network", "infer"]


async def test_tensors_for_a_model_that_nobody_has_are_an_error():
    detector = FakeHandle()
    detector.outcomes.append(UnknownModelError("no model 'nope'", "nope"))
    with pytest.raises(UnknownModelError):
        await backend(detector=detector).infer(tensors(), "nope", work(), "tensors")


async def test_models_of_all_replicas_are_listed_once_each():
    detector = FakeHandle(
        replicas=[lambda *_: (description("b/1"),), lambda *_: (description("b/1"), description("a/1"))]
    )
    reader = FakeHandle(replicas=[lambda *_: (description("doctr/default"),)])
    assert [row.model_id for row in await backend(detector, reader).models()] == ["a/1", "b/1", "doctr/default"]


async def test_a_model_is_added_where_its_task_is_served():
    load = ModelLoad(model_id="doctr/default", seconds=1.0)
    detector = FakeHandle(replicas=[lambda *_: ModelTaskError("it reads text")])
    reader = FakeHandle(replicas=[lambda *_: (load,), lambda *_: (load,)])
    one = work()
    await backend(detector, reader).add_model("doctr/default", one)
    assert reader.broadcasts == [("add_model", "doctr/default")]
    assert one.model_loads == [load]


async def test_a_model_that_nobody_has_is_an_error():
    unknown = UnknownModelError("no model 'x/1'", "x/1")
    detector = FakeHandle(replicas=[lambda *_: unknown])
    with pytest.raises(UnknownModelError):
        await backend(detector).remove_model("x/1")


async def test_it_is_ready_once_somebody_says_so():
    cluster = backend()
    assert not await cluster.ready()
    cluster.mark_ready()
    assert await cluster.ready()


def test_tuning_reaches_the_queues():
    cluster = backend()
    cluster.tune(RouterTuning(text_reader=CoalescingLimits(max_batch_items=3)))
    assert cluster.queues["text_reader"].limits.max_batch_items == 3
    assert cluster.queues["object_detector"].limits == RouterTuning().object_detector


class EmptyHandle(FakeHandle):
    """To a deployment that has no replica now."""

    def broadcast(self, method, *args):
        raise DeploymentUnavailableError(DeploymentID(name="d", app_name="a"))


async def test_models_without_replicas_are_not_listed_and_get_one_when_they_are_added():
    own = EmptyHandle(lambda call: (ModelLoad(model_id=call, seconds=2.0),))
    others = FakeHandle(replicas=[lambda method, *args: ()])
    cluster = ClusterBackend(others, others, None, placement=WhereModelsRun(detectors={"own/1": own}))
    assert await cluster.models() == ()
    given = work()
    await cluster.add_model("own/1", given)
    assert own.calls == [("add_model", "own/1")]
    assert [load.model_id for load in given.model_loads] == ["own/1"]
    await cluster.remove_model("own/1")
    await cluster.clear_models()
