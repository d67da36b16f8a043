"""All three kinds of work in this process: for tests, for trying things out, for machines too small for a cluster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from deployments.dataplane.backend import ModelLoad, Timing, Work
from deployments.dataplane.compute import (
    as_image_model,
    as_text_reader,
    predict_images,
    read_images,
    run_stage_units,
)
from deployments.dataplane.deadline import check_deadline
from deployments.dataplane.image_question import ImageQuestion
from deployments.dataplane.tensor_compute import describe_network, infer_tensors
from deployments.dataplane.tensor_question import NetworkDescription, TensorQuestion, Tensors
from deployments.models.image_model import Prediction
from deployments.models.known_models import KnownModels
from deployments.models.loading import LoadedModel, load_model
from deployments.models.offer import offer
from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages
from deployments.models.pp_ocr.packages import pp_ocr_packages
from deployments.models.registry import ModelRegistry, ModelRow
from deployments.models.tasks import IMAGE_TASKS, READING
from deployments.settings import DEFAULT_TEXT_READER, EngineSettings
from workflows.compiler.plan import Plan, Stage
from workflows.executor.dispatcher import Column, StageUnit
from workflows.ports import PredictionOptions
from workflows.values.image import Image
from workflows.values.origin import Placement
from workflows.values.recognized_text import RecognizedText
from workflows.values.time_left import work_until
from workflows.values.video import VideoMetadata

Done = TypeVar("Done")

WARM_UP_SIDE_PX = 64


class LocalBackend:
    """Work in threads of this process, one for each kind, so that the event loop stays free."""

    def __init__(self, registry: ModelRegistry[LoadedModel], warm_model_ids: tuple[str, ...] = ()) -> None:
        """Nothing is loaded yet.

        Args:
            registry: the models.
            warm_model_ids: models that must have answered once before the backend is ready.
        """
        self._registry = registry
        self._warm_model_ids = warm_model_ids
        self._warm = not warm_model_ids
        self._predicting = ThreadPoolExecutor(1, thread_name_prefix="image-models")
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="text-reader")
        self._transforming = ThreadPoolExecutor(1, thread_name_prefix="transforms")

    @classmethod
    def over_directory(
        cls,
        models_dir: Path | None = None,
        settings: EngineSettings | None = None,
        text_reader_model: str = DEFAULT_TEXT_READER,
    ) -> LocalBackend:
        """A backend with the shipped models, and those of a directory.

        Args:
            models_dir: more packages; None for the shipped ones alone.
            settings: how networks use the machine.
            text_reader_model: the text reader that is warmed up.

        Raises:
            ModelPackageError: there is no such directory.
        """
        shipped = discover_packages(SHIPPED_DIRECTORY)
        offered = offer(SHIPPED_DIRECTORY) if models_dir is None else offer(SHIPPED_DIRECTORY, models_dir)
        packages = pp_ocr_packages() | offered.packages
        loader = partial(load_model, settings=settings or EngineSettings(), others=packages)
        image_models = [each for each in shipped if each in packages and packages[each].task_type in IMAGE_TASKS]
        return cls(ModelRegistry(packages, loader, refused=offered.refused), (*image_models, text_reader_model))

    async def predict(self, question: ImageQuestion, model_id: str, work: Work, step: str) -> Prediction:
        """What a model says about one image."""
        model = as_image_model(await self._acquire(model_id, work))

        def compute() -> Prediction:
            (answer,) = predict_images(model, [question])
            if isinstance(answer, Exception):
                raise answer
            return answer

        return await self._run(self._predicting, compute, work, step)

    async def read(self, image: Image, model_id: str, work: Work, step: str) -> RecognizedText:
        """Text on one image."""
        model = as_text_reader(await self._acquire(model_id, work))
        return await self._run(self._reading, lambda: _only(read_images(model, [image])), work, step)

    async def run_stage(self, plan: Plan, stage: Stage, unit: StageUnit, work: Work) -> Mapping[str, Column]:
        """Steps that work on pixels and boxes."""
        done, whole = await self._timed(
            self._transforming, lambda: _only(run_stage_units(plan, stage, [unit])), work, "stage"
        )
        work.timings.extend(done.timings(whole.queue_ms, whole.transfer_ms + whole.compute_ms))
        return done.columns

    async def infer(self, question: TensorQuestion, model_id: str, work: Work, step: str) -> Tensors:
        """What the network of a model makes of tensors."""
        model = await self._acquire(model_id, work)
        return await self._run(self._predicting, lambda: _only(infer_tensors(model, [question])), work, step)

    async def network(self, model_id: str, work: Work) -> NetworkDescription:
        """What the network of a model takes and gives."""
        return describe_network(await self._acquire(model_id, work))

    def known_models(self) -> KnownModels:
        """The models that can be asked for, loaded or not."""
        return self._registry.known

    async def models(self) -> tuple[ModelRow, ...]:
        """Models that are loaded now, by id."""
        return tuple(sorted(self._registry.describe(), key=lambda row: row.model_id))

    async def add_model(self, model_id: str, work: Work) -> None:
        """Load a model."""
        await self._acquire(model_id, work)

    async def remove_model(self, model_id: str) -> None:
        """Unload a model; nothing happens when it is not loaded."""
        self._registry.remove(model_id)

    async def clear_models(self) -> None:
        """Unload every model that is not pinned."""
        self._registry.clear()

    async def ready(self) -> bool:
        """Whether the warm models have answered once."""
        return self._warm

    async def warm_up(self) -> None:
        """Load the warm models and let each answer once."""
        work = Work(request_id="warm-up", deadline_unix_s=time.time() + 600)
        side = WARM_UP_SIDE_PX
        placement = Placement.of_upload("warm-up", (side, side))
        image = Image.from_pixels(
            np.zeros((side, side, 3), dtype=np.uint8), placement, VideoMetadata.of_still("warm-up")
        )
        question = ImageQuestion(image=image, tasks=IMAGE_TASKS, options=PredictionOptions())
        for model_id in self._warm_model_ids:
            if self._registry.package(model_id).task_type in READING:
                await self.read(image, model_id, work, "warm-up")
            else:
                await self.predict(question, model_id, work, "warm-up")
        self._warm = True

    def close(self) -> None:
        """Let the threads end."""
        self._registry.close()
        for threads in (self._predicting, self._reading, self._transforming):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _acquire(self, model_id: str, work: Work) -> LoadedModel:
        check_deadline(work)
        work.model_ids.add(model_id)
        acquired = await self._registry.acquire(model_id)
        if acquired.load_s is not None and all(load.model_id != acquired.model_id for load in work.model_loads):
            work.model_loads.append(ModelLoad(model_id=acquired.model_id, seconds=acquired.load_s))
        return acquired.model

    async def _run(self, threads: ThreadPoolExecutor, compute: Callable[[], Done], work: Work, step: str) -> Done:
        done, timing = await self._timed(threads, compute, work, step)
        work.timings.append(timing)
        return done

    async def _timed(
        self, threads: ThreadPoolExecutor, compute: Callable[[], Done], work: Work, step: str
    ) -> tuple[Done, Timing]:
        asked = time.perf_counter()

        def timed() -> tuple[float, Done, float]:
            check_deadline(work)  # it may have waited long for the thread
            began = time.perf_counter()
            with work_until(work.deadline_unix_s):
                done = compute()
            return began, done, time.perf_counter()

        began, done, ended = await asyncio.get_running_loop().run_in_executor(threads, timed)
        return done, Timing(
            step=step,
            queue_ms=(began - asked) * 1000,
            transfer_ms=(time.perf_counter() - ended) * 1000,
            compute_ms=(ended - began) * 1000,
        )


def _only(answers: list[Done | Exception]) -> Done:
    """The one answer of a batch of one.

    Raises:
        Exception: the answer, when it is an error.
    """
    (answer,) = answers
    if isinstance(answer, Exception):
        raise answer
    return answer
