"""What travels between a WorkflowRouter and the deployments that compute: plain values, a batch in each call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from deployments.dataplane.backend import ModelLoad, Timing
from deployments.dataplane.image_question import ImageQuestion
from deployments.dataplane.tensor_question import TensorQuestion
from workflows.executor.dispatcher import Column, StageUnit
from workflows.values.image import Image

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageDone:
    """What a stage gives for one unit.

    Attributes:
        columns: `stage.gives` of the unit.
        step_ms: what each step of the stage took, in its order; encoding what it made for the way back included.
    """

    columns: Mapping[str, Column]
    step_ms: Mapping[str, float]

    def timings(self, queue_ms: float, away_ms: float) -> list[Timing]:
        """One entry for each step of a unit that waited, then was away; the first step bears the wait and the way."""
        transfer_ms = max(0.0, away_ms - sum(self.step_ms.values()))
        timings = []
        for step, compute_ms in self.step_ms.items():
            timings.append(Timing(step=step, queue_ms=queue_ms, transfer_ms=transfer_ms, compute_ms=compute_ms))
            queue_ms = transfer_ms = 0.0
        return timings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictCall:
    """Images of any number of requests for one model.

    Attributes:
        model_id: which.
        questions: the images, and what is asked about each.
        deadlines_unix_s: one for each question; after it the question must not be begun.
        may_load: whether the model is to be loaded first when it is not; else such a call is answered with
            `ModelNotLoadedError` at once.
    """

    model_id: str
    questions: tuple[ImageQuestion, ...]
    deadlines_unix_s: tuple[float, ...]
    may_load: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadCall:
    """Images of any number of requests for one text reader.

    Attributes:
        model_id: which.
        images: one for each item; how they travel is theirs to say.
        deadlines_unix_s: one for each item; after it the item must not be begun.
        may_load: as in `PredictCall`.
    """

    model_id: str
    images: tuple[Image, ...]
    deadlines_unix_s: tuple[float, ...]
    may_load: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadCall:
    """Have one more replica load a model, so that it can take its share of the work.

    Attributes:
        model_id: which.
    """

    model_id: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InferCall:
    """Tensors of any number of requests for one network.

    Attributes:
        model_id: whose network.
        questions: of one signature.
        deadlines_unix_s: one for each question; after it the question must not be begun.
        may_load: as in `PredictCall`.
    """

    model_id: str
    questions: tuple[TensorQuestion, ...]
    deadlines_unix_s: tuple[float, ...]
    may_load: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkCall:
    """Say what the network of a model takes and gives.

    Attributes:
        model_id: which.
    """

    model_id: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageCall:
    """Units of one stage of one plan.

    Attributes:
        fingerprint: of the plan; whoever has compiled it before need not do so again.
        definition_json: the document, from which the same plan is compiled.
        stage_index: position of the stage in the plan.
        units: one for each item.
        deadlines_unix_s: one for each item; after it the item must not be begun.
    """

    fingerprint: str
    definition_json: bytes
    stage_index: int
    units: tuple[StageUnit, ...]
    deadlines_unix_s: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CallAnswer(Generic[R]):
    """What a deployment answers to one call.

    Attributes:
        results: one for each item, in order; an exception for an item that failed.
        replica_id: who computed it.
        compute_ms: time it took there, waiting for its turn excluded.
        queued_ms: time it waited there for its turn.
        turn_ms: time of it in which the replica could do nothing else; less where another server was waited for.
        model_loads: models that had to be loaded for it.
        loaded_ids: models that the replica has loaded now; empty from one that loads none.
        decodes: pictures decoded for it.
        encodes: pictures encoded for it.
    """

    results: Sequence[R | Exception]
    replica_id: str
    compute_ms: float
    queued_ms: float = 0.0
    turn_ms: float = 0.0
    model_loads: tuple[ModelLoad, ...] = ()
    loaded_ids: tuple[str, ...] = ()
    decodes: int = 0
    encodes: int = 0
