"""A backend without models: it finds and reads what the test says."""

import asyncio
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from deployments.dataplane.backend import ModelLoad, Timing
from deployments.dataplane.compute import run_stage_units
from deployments.dataplane.tensor_question import NetworkDescription
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.engines.engine import TensorSpec
from deployments.models.errors import UnknownModelError
from deployments.models.known_models import KnownModels
from deployments.models.package import wrong_task
from deployments.models.registry import ModelRow
from workflows.values.classification import Classification
from workflows.values.detections import KeyPoints
from workflows.values.masks import Masks
from workflows.values.recognized_text import RecognizedText


def found_boxes(*boxes, names=None):
    """Boxes of class 0, surest first."""
    count = len(boxes)
    return ScoredBoxes(
        xyxy=np.array(boxes, dtype=np.float32).reshape(count, 4),
        confidence=np.linspace(0.9, 0.5, count, dtype=np.float32),
        class_id=np.zeros(count, dtype=np.int64),
        class_names=names or ("plate",) * count,
    )


def one_word(text, xyxy=(0, 0, 10, 5)):
    """A page with one word."""
    count = 3 if text else 0
    return RecognizedText(
        text=text,
        xyxy=np.tile(np.array(xyxy, dtype=np.float64), (count, 1)),
        level=np.array([2, 1, 0][:count], dtype=np.int64),
        texts=(text,) * count,
        scores=np.ones(count),
        confidence=1.0 if text else 0.0,
    )


def one_mask(*corners, wh=(10, 5)):
    """Masks of rectangles given by left, top, right and bottom."""
    masks = np.zeros((len(corners), wh[1], wh[0]), dtype=np.bool_)
    for mask, (left, top, right, bottom) in zip(masks, corners, strict=True):
        mask[top:bottom, left:right] = True
    return Masks.of_arrays(masks)


def one_nose(x, y):
    """Key points of one object that has a nose and no tail."""
    return KeyPoints(
        xy=np.array([[[x, y], [np.nan, np.nan]]]),
        confidence=np.array([[0.75, 0.0]]),
        class_id=np.array([[0, 1]]),
        class_name=np.array([["nose", "tail"]]),
    )


def classes(*scores, predicted=None):
    """A classification as car, bus, bike, ...; multi-label when it names predicted classes."""
    names = ("car", "bus", "bike")[: len(scores)]
    single = predicted is None and len(scores) > 0
    return Classification(
        class_name=np.array(names, dtype=np.str_),
        class_id=np.arange(len(scores)),
        confidence=np.array(scores, dtype=np.float64),
        top_class=names[0] if single else "",
        top_confidence=scores[0] if single else 0.0,
        predicted_classes=predicted,
    )


TASKS = {
    "plates/1": "object-detection",
    "cars/1": "instance-segmentation",
    "people/1": "keypoint-detection",
    "kinds/1": "classification",
    "tags/1": "multi-label-classification",
    "doctr/default": "text-recognition",
    "pp_ocr/small-small": "text-recognition",
}


DOUBLING = NetworkDescription(
    model_id="plates/1",
    inputs=(TensorSpec(name="x", shape=(None, 2), dtype=np.dtype(np.float32)),),
    outputs=(TensorSpec(name="twice", shape=(None, 2), dtype=np.dtype(np.float32)),),
    max_batch_size=4,
)


class FakeBackend:
    """Knows the models of `TASKS`; what each of them says can be changed in `said`."""

    def __init__(self, boxes=None, text="AB 12"):
        self.said = {
            "plates/1": found_boxes((2, 1, 8, 4)) if boxes is None else boxes,
            "cars/1": replace(found_boxes((2, 1, 8, 4), names=("car",)), masks=one_mask((2, 1, 8, 4))),
            "people/1": replace(found_boxes((2, 1, 8, 4), names=("person",)), keypoints=one_nose(4.0, 2.0)),
            "kinds/1": classes(0.7, 0.2),
            "tags/1": classes(0.1, 0.6, 0.7, predicted=("bus", "bike")),
        }
        self.text = text
        self.error = None
        self.wait_s = 0.0
        self.cancelled = 0
        self.options = []
        self.questions = []
        self.is_ready = True
        self.loaded = []

    async def predict(self, question, model_id, work, step):
        self.options.append(question.options)
        await self._work(model_id, work, step)
        if TASKS[model_id] not in question.tasks:
            raise wrong_task(SimpleNamespace(model_id=model_id, task_type=TASKS[model_id]), question.tasks)
        return self.said[model_id]

    async def read(self, image, model_id, work, step):
        await self._work(model_id, work, step)
        return one_word(self.text)

    async def run_stage(self, plan, stage, unit, work):
        (done,) = run_stage_units(plan, stage, [unit])
        if isinstance(done, Exception):
            raise done
        work.timings += done.timings(queue_ms=1.0, away_ms=1000.0)
        return done.columns

    async def infer(self, question, model_id, work, step):
        """Twice the input `x`, whatever the model."""
        await self._work(model_id, work, step)
        self.questions.append(question)
        return {"twice": question.feeds["x"] * 2}

    async def network(self, model_id, work):
        await self._work(model_id, work, "load")
        return DOUBLING

    def known_models(self):
        return KnownModels(ids=frozenset(TASKS), aliases={"my-plates": "plates/1"}, refused_ids=frozenset({"torn/1"}))

    async def models(self):
        return tuple(
            ModelRow(model_id=name, task_type=TASKS[name], batch_size=None, input_height=640, input_width=480)
            for name in self.loaded
        )

    async def add_model(self, model_id, work):
        await self._work(model_id, work, "load")

    async def remove_model(self, model_id):
        if model_id not in self.loaded:
            raise UnknownModelError(f"no model {model_id!r}", model_id)
        self.loaded.remove(model_id)

    async def clear_models(self):
        self.loaded.clear()

    async def ready(self):
        return self.is_ready

    async def _work(self, model_id, work, step):
        work.model_ids.add(model_id)
        if model_id not in TASKS:
            raise UnknownModelError(f"no model {model_id!r}", model_id)
        if self.error is not None:
            raise self.error
        try:
            await asyncio.sleep(self.wait_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if model_id not in self.loaded:
            self.loaded.append(model_id)
            work.model_loads.append(ModelLoad(model_id=model_id, seconds=0.25))
        work.timings.append(Timing(step=step, queue_ms=1.0, transfer_ms=2.0, compute_ms=3.0))


async def eventually(condition, within_s=5.0):
    """Wait until `condition()` holds."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.01)
