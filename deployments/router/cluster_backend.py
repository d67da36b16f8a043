"""The backend of a cluster: work leaves through coalescing queues, one for each deployment, over Serve's handles."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ray.serve.handle import DeploymentHandle

from deployments.dataplane.backend import Timing, Work
from deployments.dataplane.compute import run_stage_units
from deployments.dataplane.computing import ComputeThread
from deployments.dataplane.image_question import ImageQuestion
from deployments.dataplane.messages import CallAnswer, PredictCall, ReadCall, StageCall, StageDone
from deployments.dataplane.tensor_question import NetworkDescription, TensorQuestion, Tensors
from deployments.errors import ModelTaskError
from deployments.models.image_model import Prediction
from deployments.models.known_models import KnownModels
from deployments.models.registry import ModelRow
from deployments.router.coalescing import CoalescingQueue, Delivery
from deployments.router.deployment_calls import LOST_ERRORS, DeploymentCalls
from deployments.router.model_deployment import ModelDeployment
from deployments.router.placement import Placement
from deployments.router.raw_tensors import RawTensors
from deployments.router.replica_contents import ReplicaContents
from deployments.settings import RouterTuning
from workflows.compiler.plan import Plan, Stage
from workflows.executor.dispatcher import Column, StageUnit
from workflows.values.detections import Detections
from workflows.values.image import Image
from workflows.values.recognized_text import RecognizedText

R = TypeVar("R")


class ClusterBackend:
    """Work on the deployments of one application.

    Models are loaded by each replica for itself, when the first call for them comes. What is listed is the union over
    all replicas; adding, removing and clearing go to all of them. So every WorkflowRouter says the same, and a replica
    that starts later loads what it is asked for.
    """

    def __init__(
        self,
        object_detector: DeploymentHandle[Any],
        text_reader: DeploymentHandle[Any],
        transform_worker: DeploymentHandle[Any] | None,
        tuning: RouterTuning | None = None,
        placement: Placement | None = None,
        contents: ReplicaContents | None = None,
    ) -> None:
        """Nothing is asked yet.

        Args:
            object_detector: handle to the ObjectDetector.
            text_reader: handle to the TextReader.
            transform_worker: handle to the TransformWorker; None to do its work in a thread of this process.
            tuning: how calls are shared.
            placement: models with deployments and settings of their own.
            contents: what the replicas of shared deployments hold, as whoever chooses between them sees it too.
        """
        tuning = tuning or RouterTuning()
        self._placement = placement or Placement()
        self._transform_worker = transform_worker
        self._transform_calls = None if transform_worker is None else DeploymentCalls(transform_worker)
        self._own_transforms = ComputeThread("transforms", "router") if transform_worker is None else None
        self._ready = False
        contents = contents or ReplicaContents()
        self._object_detector = self._detector("the object detector", object_detector, tuning, contents)
        self._text_reader = self._reader("the text reader", text_reader, tuning, contents)
        self._own_detectors = {
            model_id: self._detector(f"model {model_id!r}", handle, tuning)
            for model_id, handle in self._placement.detectors.items()
        }
        self._own_readers = {
            model_id: self._reader(f"model {model_id!r}", handle, tuning)
            for model_id, handle in self._placement.readers.items()
        }
        self._raw_tensors = RawTensors(self._candidates, contents, tuning.tensors)
        self.transforming: CoalescingQueue[tuple[str, int], tuple[Plan, StageUnit], StageDone] = CoalescingQueue(
            "the transform worker", self._send_stage, lost_errors=LOST_ERRORS, limits=tuning.transforms
        )

    def _detector(
        self, name: str, handle: DeploymentHandle[Any], tuning: RouterTuning, contents: ReplicaContents | None = None
    ) -> ModelDeployment[ImageQuestion, Prediction]:
        return ModelDeployment(
            name,
            handle,
            "predict",
            _predict_call,
            limits=tuning.object_detector,
            batch_items=self._placement.batch_items,
            contents=contents,
        )

    def _reader(
        self, name: str, handle: DeploymentHandle[Any], tuning: RouterTuning, contents: ReplicaContents | None = None
    ) -> ModelDeployment[Image, RecognizedText]:
        return ModelDeployment(
            name,
            handle,
            "read",
            _read_call,
            limits=tuning.text_reader,
            batch_items=self._placement.batch_items,
            contents=contents,
        )

    @property
    def queues(self) -> Mapping[str, CoalescingQueue[Any, Any, Any]]:
        """The queues, under the names that metrics give them."""
        own: dict[str, CoalescingQueue[Any, Any, Any]] = {
            model_id: deployment.queue for model_id, deployment in self._own_deployments.items()
        }
        return {
            "object_detector": self._object_detector.queue,
            "text_reader": self._text_reader.queue,
            "transforms": self.transforming,
            "tensors": self._raw_tensors.queue,
            **own,
        }

    @property
    def queues_of_deployments(self) -> Mapping[str, CoalescingQueue[Any, Any, Any]]:
        """The same by the names that Serve gives the deployments, without raw tensors, which may go to several."""
        queues: dict[str, CoalescingQueue[Any, Any, Any]] = {
            deployment.handle.deployment_name: deployment.queue for deployment in self._deployments
        }
        if self._transform_worker is not None:
            queues[self._transform_worker.deployment_name] = self.transforming
        return queues

    def tune(self, tuning: RouterTuning) -> None:
        """Share and send calls in another way from now on."""
        for detector in (self._object_detector, *self._own_detectors.values()):
            detector.queue.limits = tuning.object_detector
        for reader in (self._text_reader, *self._own_readers.values()):
            reader.queue.limits = tuning.text_reader
        self.transforming.limits = tuning.transforms
        self._raw_tensors.queue.limits = tuning.tensors
        for calls in (self._transform_calls, *(deployment.calls for deployment in self._deployments)):
            if calls is not None:
                calls.direct = tuning.direct_calls

    async def predict(self, question: ImageQuestion, model_id: str, work: Work, step: str) -> Prediction:
        """What a model says about one image."""
        work.model_ids.add(model_id)
        canonical = self._placement.canonical(model_id)
        delivery = await self._own_detectors.get(canonical, self._object_detector).queue.submit(
            canonical,
            question,
            deadline_unix_s=work.deadline_unix_s,
            request_id=work.request_id,
            size_bytes=question.image.travelling_bytes,
            size_px=question.image.size_px,
        )
        return _account(delivery, work, step)

    async def read(self, image: Image, model_id: str, work: Work, step: str) -> RecognizedText:
        """Text on one image."""
        work.model_ids.add(model_id)
        canonical = self._placement.canonical(model_id)
        delivery = await self._own_readers.get(canonical, self._text_reader).queue.submit(
            canonical,
            image,
            deadline_unix_s=work.deadline_unix_s,
            request_id=work.request_id,
            size_bytes=image.travelling_bytes,
            size_px=image.size_px,
        )
        return _account(delivery, work, step)

    async def run_stage(self, plan: Plan, stage: Stage, unit: StageUnit, work: Work) -> Mapping[str, Column]:
        """Steps that work on pixels and boxes."""
        delivery = await self.transforming.submit(
            (plan.fingerprint, stage.index),
            (plan, unit),
            deadline_unix_s=work.deadline_unix_s,
            request_id=work.request_id,
            size_bytes=0 if self._transform_worker is None else size_of(unit),
            size_px=pixels_of(plan, stage, unit),
        )
        away_ms = delivery.transfer_ms + delivery.compute_ms  # of which this unit's own steps computed a part
        work.timings.extend(delivery.value.timings(delivery.queue_ms, away_ms))
        return delivery.value.columns

    async def infer(self, question: TensorQuestion, model_id: str, work: Work, step: str) -> Tensors:
        """What the network of a model makes of tensors."""
        work.model_ids.add(model_id)
        canonical = self._placement.canonical(model_id)
        await self._raw_tensors.prepare(canonical)
        delivery = await self._raw_tensors.queue.submit(
            (canonical, question.signature),
            question,
            deadline_unix_s=work.deadline_unix_s,
            request_id=work.request_id,
            size_bytes=question.size_bytes,
        )
        return _account(delivery, work, step)

    async def network(self, model_id: str, work: Work) -> NetworkDescription:
        """What the network of a model takes and gives."""
        work.model_ids.add(model_id)
        return await self._raw_tensors.network(self._placement.canonical(model_id))

    def known_models(self) -> KnownModels:
        """The models that can be asked for, loaded or not."""
        return self._placement.known

    async def models(self) -> tuple[ModelRow, ...]:
        """Models that any replica has loaded, by id."""
        listed = await asyncio.gather(*(deployment.everywhere("models") for deployment in self._deployments))
        rows = {row.model_id: row for of_deployment in listed for of_replica in of_deployment for row in of_replica}
        return tuple(rows[model_id] for model_id in sorted(rows))

    async def add_model(self, model_id: str, work: Work) -> None:
        """Load a model in every replica of the deployment that serves its task."""
        own = self._own_deployments.get(self._placement.canonical(model_id))
        loads_of = await self._where_it_belongs("add_model", model_id)
        if own is not None and not loads_of:  # it has no replica now, and gets one for this call
            loads_of = [await own.handle.add_model.remote(model_id)]
        for loads in loads_of:
            for load in loads:
                if all(known.model_id != load.model_id for known in work.model_loads):
                    work.model_loads.append(load)
        work.model_ids.add(model_id)

    async def remove_model(self, model_id: str) -> None:
        """Unload a model in every replica."""
        await self._where_it_belongs("remove_model", model_id)

    async def clear_models(self) -> None:
        """Unload every model that is not pinned, in every replica."""
        await asyncio.gather(*(deployment.everywhere("clear_models") for deployment in self._deployments))

    async def ready(self) -> bool:
        """Whether a warm-up went through all deployments."""
        return self._ready

    def mark_ready(self) -> None:
        """Say that a warm-up was answered."""
        self._ready = True

    @property
    def _own_deployments(self) -> dict[str, ModelDeployment[Any, Any]]:
        return {**self._own_detectors, **self._own_readers}

    @property
    def _deployments(self) -> tuple[ModelDeployment[Any, Any], ...]:
        return self._object_detector, self._text_reader, *self._own_deployments.values()

    def _candidates(self, model_id: str) -> tuple[ModelDeployment[Any, Any], ...]:
        own = self._own_deployments.get(model_id)
        return (self._object_detector, self._text_reader) if own is None else (own,)

    async def _where_it_belongs(self, method: str, model_id: str) -> list[Any]:
        canonical = self._placement.canonical(model_id)
        own = self._own_deployments.get(canonical)
        if own is not None:
            return await own.everywhere(method, canonical)
        try:
            return await self._object_detector.everywhere(method, canonical)
        except ModelTaskError:
            return await self._text_reader.everywhere(method, canonical)

    async def _send_stage(
        self,
        key: tuple[str, int],
        items: Sequence[tuple[Plan, StageUnit]],
        deadlines_unix_s: Sequence[float],
        may_load: bool,
    ) -> CallAnswer[StageDone]:
        plan = items[0][0]
        units = tuple(unit for _, unit in items)
        if self._transform_calls is None:
            assert self._own_transforms is not None  # one or the other
            stage = plan.stages[key[1]]
            return await self._own_transforms.run(
                deadlines_unix_s,
                lambda live: run_stage_units(
                    plan, stage, [units[at] for at in live], [deadlines_unix_s[at] for at in live]
                ),
            )
        call = StageCall(
            fingerprint=plan.fingerprint,
            definition_json=plan.definition_json,
            stage_index=key[1],
            units=units,
            deadlines_unix_s=tuple(deadlines_unix_s),
        )
        answer: CallAnswer[StageDone] = await self._transform_calls.answer("run_stage", call)
        return answer


def size_of(unit: StageUnit) -> int:
    """Bytes of the images of a unit, each counted once."""
    return sum(image.travelling_bytes for image in unit.each_once(Image))


def pixels_of(plan: Plan, stage: Stage, unit: StageUnit) -> int:
    """Pixels a unit may come to: those of its images and, where a step cuts, one whole image for each detection.

    Where the boxes end up that are cut out is known only to the steps before; none is larger than its image.
    """
    sizes_px = [image.size_px for image in unit.each_once(Image)]
    cuts = sum(plan.steps[name].block.output_offset == 1 for name in stage.steps)
    boxes = sum(len(detections) for detections in unit.each_once(Detections)) if cuts else 0
    return sum(sizes_px) + cuts * boxes * max(sizes_px, default=0)


def _predict_call(
    model_id: str, questions: Sequence[ImageQuestion], deadlines_unix_s: Sequence[float], may_load: bool
) -> PredictCall:
    return PredictCall(
        model_id=model_id,
        questions=tuple(questions),
        deadlines_unix_s=tuple(deadlines_unix_s),
        may_load=may_load,
    )


def _read_call(model_id: str, images: Sequence[Image], deadlines_unix_s: Sequence[float], may_load: bool) -> ReadCall:
    return ReadCall(
        model_id=model_id, images=tuple(images), deadlines_unix_s=tuple(deadlines_unix_s), may_load=may_load
    )


def _account(delivery: Delivery[R], work: Work, step: str) -> R:
    """Write down where the time went; gives the value."""
    work.timings.append(
        Timing(
            step=step,
            queue_ms=delivery.queue_ms,
            transfer_ms=delivery.transfer_ms,
            compute_ms=delivery.compute_ms,
        )
    )
    for load in delivery.model_loads:
        if all(known.model_id != load.model_id for known in work.model_loads):
            work.model_loads.append(load)
    return delivery.value
