"""The work itself, on a batch that may hold items of many requests: an item that cannot be done fails alone.

Plain functions, run by the replicas of a cluster and by the backend of one process alike.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TypeVar

from deployments.dataplane.image_question import ImageQuestion
from deployments.dataplane.messages import StageDone
from deployments.models.errors import ModelError, ModelUnavailableError
from deployments.models.image_model import ImageModel, Prediction
from deployments.models.loading import LoadedModel
from deployments.models.package import wrong_task
from deployments.models.page_reading.text_reader import TextReader
from deployments.models.tasks import IMAGE_TASKS, READING
from workflows.compiler.plan import Plan, Stage
from workflows.definition.selectors import output_selector
from workflows.errors import DeadlineExceededError, ImageDecodeError, WorkflowError
from workflows.executor.dispatcher import Column, StageUnit
from workflows.executor.stage import run_stage_here
from workflows.values.image import Image, Pixels
from workflows.values.recognized_text import RecognizedText
from workflows.values.time_left import work_until

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Done = TypeVar("Done")


def predict_images(model: ImageModel, questions: Sequence[ImageQuestion]) -> list[Prediction | Exception]:
    """What a model says about each image, or what is wrong with it, in order."""

    def predict(batch: Sequence[tuple[Pixels, ImageQuestion]]) -> Sequence[Prediction]:
        return model.predict_batch(
            [pixels for pixels, _ in batch],
            [question.options for _, question in batch],
            [question.image.wh for _, question in batch],
        ).predictions

    def ready(question: ImageQuestion) -> tuple[Pixels, ImageQuestion] | Exception:
        if model.package.task_type not in question.tasks:
            return wrong_task(model.package, question.tasks)
        image = question.image
        try:
            return image.pixels_for(model.needed_wh(image.wh, question.options)), question
        except ImageDecodeError as error:
            return error

    return each_alone(predict, [ready(question) for question in questions], model.package.model_id)


def read_images(model: TextReader, images: Sequence[Image]) -> list[RecognizedText | Exception]:
    """Text on each image, or what is wrong with it, in order."""

    def read(batch: Sequence[Pixels]) -> list[RecognizedText]:
        return model.read_batch(batch).pages

    return each_alone(read, [_or_error(image) for image in images], model.package.model_id)


def run_stage_units(
    plan: Plan,
    stage: Stage,
    units: Sequence[StageUnit],
    deadlines_unix_s: Sequence[float] | None = None,
    *,
    to_travel: bool = False,
) -> list[StageDone | Exception]:
    """What a stage gives for each unit, or the failure of its step, in order.

    Args:
        plan: the plan.
        stage: one of its stages.
        units: what to do.
        deadlines_unix_s: one for each unit, wall clock, seconds since the epoch: a unit is not begun after it, nor gone
            on with; None where all have the time of the call.
        to_travel: whether the answer leaves the process; images that are answered, or too large to travel as pixels,
            are then encoded here, in the thread that computes, rather than in the event loop that sends them. Pixels
            that do not travel are let go of with the last unit that has them, or they would add up until the whole
            call is answered.
    """
    makers = {output_selector(name, output): name for name in stage.steps for output in plan.steps[name].block.outputs}
    images_of = [unit.each_once(Image) if to_travel else [] for unit in units]
    last_use = {id(image): at for at, images in enumerate(images_of) for image in images}
    given: list[StageDone | Exception] = []
    for at, unit in enumerate(units):
        step_ms: dict[str, float] = {}
        try:
            with nullcontext() if deadlines_unix_s is None else work_until(deadlines_unix_s[at]):
                columns = run_stage_here(plan, stage, unit, on_step=step_ms.__setitem__)
            if to_travel:
                answered = _answered(plan, makers, unit.excluded_fields)
                for selector in columns.keys() & makers.keys():
                    step_ms[makers[selector]] += _packing_ms(columns[selector], answered=selector in answered)
        except WorkflowError as error:
            _forget_locals(error)
            given.append(error)
        else:
            given.append(StageDone(columns=columns, step_ms=step_ms))
        for image in images_of[at]:
            if last_use[id(image)] == at:
                image.keep_what_travels()
    return given


def as_image_model(model: LoadedModel) -> ImageModel:
    """The model, when it takes whole pictures.

    Raises:
        ModelTaskError: it does not.
    """
    if isinstance(model, ImageModel):
        return model
    raise wrong_task(model.package, IMAGE_TASKS)


def as_text_reader(model: LoadedModel) -> TextReader:
    """The model, when it reads text.

    Raises:
        ModelTaskError: it is not.
    """
    if isinstance(model, TextReader):
        return model
    raise wrong_task(model.package, READING)


def _answered(plan: Plan, makers: Mapping[str, str], excluded_fields: frozenset[str]) -> set[str]:
    """Selectors whose values the answer shows, of those that `makers` names the step of."""
    selected = {output.selector for output in plan.outputs if output.name not in excluded_fields}
    return {selector for selector, name in makers.items() if selected & {selector, output_selector(name, "*")}}


def _packing_ms(column: Column, *, answered: bool) -> float:
    """How long it took to have every image encoded that must be, and nothing kept of it that does not travel."""
    began_s = time.perf_counter()
    for value in column.values.values():
        if isinstance(value, Image):
            if answered:
                _ = value.encoded
            value.keep_what_travels()
    return (time.perf_counter() - began_s) * 1000


def _forget_locals(error: BaseException | None) -> None:
    """Keep where an error came from, but not the pictures that were at hand there."""
    seen: set[int] = set()  # an error may be raised from itself
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _or_error(image: Image) -> Pixels | ImageDecodeError:
    try:
        return image.pixels
    except ImageDecodeError as error:
        return error


def each_alone(
    work: Callable[[Sequence[Item]], Sequence[Done]], items: Sequence[Item | Exception], model_id: str
) -> list[Done | Exception]:
    """What `work` makes of all items at once, or of each by itself when some item spoils the batch."""
    good = [item for item in items if not isinstance(item, Exception)]
    done: Iterator[Done | Exception] = _try_all(work, good, model_id)
    return [item if isinstance(item, Exception) else next(done) for item in items]


def _try_all(
    work: Callable[[Sequence[Item]], Iterable[Done]], items: Sequence[Item], model_id: str
) -> Iterator[Done | Exception]:
    if not items:
        return
    try:
        yield from work(items)
    except (ModelUnavailableError, DeadlineExceededError) as error:  # no item's fault, and no use in trying each alone
        yield from [error] * len(items)
    except Exception as error:  # a runtime raises what its C++ side threw; the other items must not suffer
        if len(items) > 1:
            for item in items:
                yield from _try_all(work, [item], model_id)
            return
        logger.warning("a model failed on an item", extra={"model_id": model_id}, exc_info=True)
        failure = ModelError(f"model {model_id!r} failed on it: {type(error).__name__}")
        failure.__cause__ = error
        yield failure
