"""Where the work of a request is done: behind handles in the cluster, or in this process.

`WorkflowService` is the same above either; ingress and router see no more than this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from deployments.dataplane.admission import Ticket
from deployments.dataplane.image_question import ImageQuestion
from deployments.dataplane.tensor_question import NetworkDescription, TensorQuestion, Tensors
from deployments.models.image_model import Prediction
from deployments.models.known_models import KnownModels
from deployments.models.registry import ModelRow
from workflows.compiler.plan import Plan, Stage
from workflows.executor.dispatcher import Column, StageUnit
from workflows.values.image import Image
from workflows.values.recognized_text import RecognizedText


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Where the time of one piece of work went.

    Attributes:
        step: name of the step, or of the route for single-model routes.
        queue_ms: waiting in the router for a free slot; none for a step that runs in the router, or that travelled
            with the step before it.
        transfer_ms: on the way there and back, waiting at the replica included; none for the same steps.
        compute_ms: decoding, model and post-processing.
    """

    step: str
    queue_ms: float
    transfer_ms: float
    compute_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLoad:
    """A model that was loaded because a request asked for it.

    Attributes:
        model_id: which.
        seconds: how long the load took.
    """

    model_id: str
    seconds: float


@dataclass(slots=True, kw_only=True)
class Work:
    """What travels with every piece of work of one request, and what it leaves behind.

    Attributes:
        request_id: for logs.
        deadline_unix_s: wall-clock time after which nobody waits for the answer; work that has not begun is dropped.
        timings: one entry for each piece of work done.
        model_ids: models used.
        model_loads: models that had to be loaded.
        ticket: the request's place among those in flight; None for a request that needs none.
    """

    request_id: str
    deadline_unix_s: float
    timings: list[Timing] = field(default_factory=list)
    model_ids: set[str] = field(default_factory=set)
    model_loads: list[ModelLoad] = field(default_factory=list)
    ticket: Ticket | None = None


class Backend(Protocol):
    """The kinds of work, and the models.

    Every method raises `workflows.errors.DeadlineExceededError` when the work's time is over,
    `deployments.errors.ServingError` for what the serving itself cannot do, and may be cancelled: cancelled work leaves
    nothing behind.
    """

    async def predict(self, question: ImageQuestion, model_id: str, work: Work, step: str) -> Prediction:
        """What a model says about one image."""

    async def read(self, image: Image, model_id: str, work: Work, step: str) -> RecognizedText:
        """Text on one image; `model_id` such as `doctr/default`."""

    async def run_stage(self, plan: Plan, stage: Stage, unit: StageUnit, work: Work) -> Mapping[str, Column]:
        """Steps that work on pixels and boxes (`RunsOn.TRANSFORMS`), on one element of the batch."""

    async def infer(self, question: TensorQuestion, model_id: str, work: Work, step: str) -> Tensors:
        """What the network of a model makes of tensors, whatever the model is for."""

    async def network(self, model_id: str, work: Work) -> NetworkDescription:
        """What the network of a model takes and gives; the model is loaded first when need be."""

    def known_models(self) -> KnownModels:
        """The models that can be asked for, loaded or not."""

    async def models(self) -> tuple[ModelRow, ...]:
        """Models that are loaded now, by id."""

    async def add_model(self, model_id: str, work: Work) -> None:
        """Load a model; nothing happens when it is loaded."""

    async def remove_model(self, model_id: str) -> None:
        """Unload a model."""

    async def clear_models(self) -> None:
        """Unload every model that is not pinned."""

    async def ready(self) -> bool:
        """Whether every deployment has answered a warm-up with real models."""
