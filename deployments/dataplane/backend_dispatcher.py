"""One request's way from its steps to a backend: ports for model blocks, stages for pixel work."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from deployments.dataplane.backend import Backend, Timing, Work
from deployments.dataplane.image_question import ImageQuestion
from deployments.errors import ModelTaskError, ServingError
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.errors import InvalidModelIdError, UnknownModelError, UnsupportedModelError
from deployments.models.image_model import Prediction
from deployments.models.tasks import DETECTION, KEYPOINTS, SEGMENTATION, Task, Tasks
from deployments.settings import DEFAULT_TEXT_READER
from workflows.compiler.plan import Plan, Stage, StepPlan
from workflows.errors import BlockProblem, ClientCausedStepExecutionError
from workflows.executor.dispatcher import Column, StageUnit
from workflows.ports import Ports, PredictionOptions, StepRun
from workflows.values.classification import Classification
from workflows.values.detections import Detections, new_detection_ids
from workflows.values.image import Image
from workflows.values.recognized_text import RecognizedText

# The numbers of the wire, because the step error that carries them belongs to the language and knows no serving errors.
CLIENT_STATUSES: Mapping[type[ServingError], int] = {
    UnknownModelError: 404,
    ModelTaskError: 400,
    InvalidModelIdError: 400,
    UnsupportedModelError: 501,
}
"""Status of a step whose model call failed for a reason that the client can mend."""


class BackendDispatcher:
    """Runs the stages of one request on a backend."""

    def __init__(self, backend: Backend, work: Work, text_reader_model: str = DEFAULT_TEXT_READER) -> None:
        self._backend = backend
        self._work = work
        self._text_reader_model = text_reader_model

    def ports(self, step: StepPlan) -> Ports:
        """Ports for one run of a step, which all its elements share."""
        ask = StepQuestions(self._backend, self._work, step.name)
        return Ports(
            object_detector=StepDetector(ask, DETECTION),
            instance_segmenter=StepDetector(ask, SEGMENTATION),
            keypoint_detector=StepDetector(ask, KEYPOINTS),
            classifier=StepClassifier(ask, frozenset({Task.CLASSIFICATION})),
            multi_label_classifier=StepClassifier(ask, frozenset({Task.MULTI_LABEL_CLASSIFICATION})),
            text_reader=StepTextReader(self._backend, self._work, step.name, self._text_reader_model),
            step_run=StepRun(inference_id=str(uuid.uuid4())),
        )

    async def run_stage(self, plan: Plan, stage: Stage, unit: StageUnit) -> Mapping[str, Column]:
        """Run a stage of one element of the batch."""
        return await self._backend.run_stage(plan, stage, unit, self._work)

    def step_done(self, step: StepPlan, compute_ms: float) -> None:
        """Write down what a step took that had no way to go."""
        self._work.timings.append(Timing(step=step.name, queue_ms=0.0, transfer_ms=0.0, compute_ms=compute_ms))


class StepQuestions:
    """What one step asks of models about images."""

    def __init__(self, backend: Backend, work: Work, step: str) -> None:
        self._backend = backend
        self._work = work
        self._step = step

    async def __call__(self, image: Image, model_id: str, tasks: Tasks, options: PredictionOptions) -> Prediction:
        """What the model says.

        Raises:
            ClientCausedStepExecutionError: there is no such model, or it is for something else.
        """
        question = ImageQuestion(image=image, tasks=tasks, options=options)
        try:
            return await self._backend.predict(question, model_id, self._work, self._step)
        except ServingError as error:
            raise step_failure(error, self._step) from error


class StepDetector:
    """Models of some tasks that give detections, as one step sees them."""

    def __init__(self, ask: StepQuestions, tasks: Tasks) -> None:
        self._ask = ask
        self._tasks = tasks

    async def detect(self, image: Image, model_id: str, options: PredictionOptions) -> Detections:
        """Detections in the image's own pixels."""
        found = await self._ask(image, model_id, self._tasks, options)
        assert isinstance(found, ScoredBoxes)  # what models of these tasks give
        return to_detections(found, image)


class StepClassifier:
    """Classifiers, as one step sees them."""

    def __init__(self, ask: StepQuestions, tasks: Tasks) -> None:
        self._ask = ask
        self._tasks = tasks

    async def classify(self, image: Image, model_id: str, options: PredictionOptions) -> Classification:
        """Classes of the image, and how long it took to know them."""
        began_s = time.perf_counter()
        found = await self._ask(image, model_id, self._tasks, options)
        assert isinstance(found, Classification)  # what models of these tasks give
        return replace(to_classification(found, image), duration_s=time.perf_counter() - began_s)


class StepTextReader:
    """Text readers, as one step sees them."""

    def __init__(self, backend: Backend, work: Work, step: str, default_model: str) -> None:
        self._backend = backend
        self._work = work
        self._step = step
        self._default = default_model

    async def read(self, image: Image, model_id: str | None = None) -> RecognizedText:
        """Text of the image."""
        try:
            return await self._backend.read(image, model_id or self._default, self._work, self._step)
        except ServingError as error:
            raise step_failure(error, self._step) from error


def to_detections(found: ScoredBoxes, image: Image) -> Detections:
    """Boxes found on an image as detections with identities, the image as their parent."""
    count = len(found)
    return Detections(
        xyxy=found.xyxy.astype(np.float64),
        confidence=found.confidence.astype(np.float64),
        class_id=found.class_id.astype(np.int64),
        class_name=np.array(found.class_names, dtype=np.str_),
        detection_id=new_detection_ids(count),
        parent_id=np.array([image.id] * count, dtype=np.str_),
        masks=found.masks,
        keypoints=found.keypoints,
        image_wh=image.wh,
        placement=image.placement,
        prediction_type=_task_of(found),
    )


def to_classification(found: Classification, image: Image) -> Classification:
    """Classes of an image with the image as their parent."""
    return replace(found, image_wh=image.wh, parent_id=image.id, root_parent_id=image.placement.root.id)


def _task_of(found: ScoredBoxes) -> Task:
    if found.masks is not None:
        return Task.INSTANCE_SEGMENTATION
    return Task.OBJECT_DETECTION if found.keypoints is None else Task.KEYPOINT_DETECTION


def step_failure(error: ServingError, step: str) -> Exception:
    """What a step raises for an error of the serving: the client's own fault becomes a step error, the rest stays."""
    status = next((CLIENT_STATUSES[kind] for kind in type(error).__mro__ if kind in CLIENT_STATUSES), None)
    if status is None:
        return error
    return ClientCausedStepExecutionError(
        f"step {step!r}: {error.message}",
        [BlockProblem(step=step)],
        type(error).__name__,
        error.message,
        status,
    )
