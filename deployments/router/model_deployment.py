"""One deployment that runs models, as a WorkflowRouter sees it: a queue in front of a handle."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from ray.exceptions import RayError
from ray.serve.exceptions import DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle

from deployments.dataplane.call_socket import ConnectionLostError
from deployments.dataplane.messages import CallAnswer, LoadCall, PredictCall, ReadCall
from deployments.errors import ModelNotLoadedError, ServingError
from deployments.router.coalescing import CoalescingQueue
from deployments.router.deployment_calls import LOST_ERRORS, DeploymentCalls
from deployments.router.replica_contents import ReplicaContents
from deployments.settings import CoalescingLimits

logger = logging.getLogger(__name__)

Payload = TypeVar("Payload")
Result = TypeVar("Result")
ModelCall = PredictCall | ReadCall

CONTROL_TIMEOUT_S = 60.0


class ModelDeployment(Generic[Payload, Result]):
    """All work for the models of one deployment.

    Attributes:
        handle: to the deployment.
        calls: to its replicas.
        queue: work that waits or is under way, by model id.
    """

    def __init__(
        self,
        name: str,
        handle: DeploymentHandle[Any],
        method: str,
        make_call: Callable[[str, Sequence[Payload], Sequence[float], bool], ModelCall],
        *,
        limits: CoalescingLimits,
        batch_items: Mapping[str, int],
        contents: ReplicaContents | None,
    ) -> None:
        """Nothing is asked yet.

        Args:
            name: for messages.
            handle: to the deployment.
            method: of its replicas, that takes calls.
            make_call: given a model id, payloads, their deadlines and whether a load may be waited for.
            limits: how calls are shared.
            batch_items: most items of one call for single models.
            contents: what its replicas hold; None when it is one model, which never goes.
        """
        self.handle = handle
        self.calls = DeploymentCalls(handle)
        self._method = method
        self._make_call = make_call
        self._contents = contents
        self._spreading: dict[str, asyncio.Task[None]] = {}
        self.queue: CoalescingQueue[str, Payload, Result] = CoalescingQueue(
            name,
            self._send,
            lost_errors=LOST_ERRORS,
            limits=limits,
            holders=None if contents is None else lambda model_id: len(contents.holders(model_id)),
            batch_items=batch_items,
        )

    @property
    def is_shared(self) -> bool:
        """Whether its replicas hold any of many models."""
        return self._contents is not None

    async def everywhere(self, method: str, *args: Any) -> list[Any]:
        """What a method answers in every replica; nothing when there is none."""
        try:
            return await self.handle.broadcast(method, *args).results_async(timeout_s=CONTROL_TIMEOUT_S)
        except DeploymentUnavailableError:
            return []

    async def _send(
        self, model_id: str, payloads: Sequence[Payload], deadlines_unix_s: Sequence[float], may_load: bool
    ) -> CallAnswer[Result]:
        contents = self._contents
        call = self._make_call(model_id, payloads, deadlines_unix_s, may_load or contents is None)
        try:
            answer: CallAnswer[Result] = await self.calls.answer(self._method, call)
        except ModelNotLoadedError as error:
            if contents is not None:
                contents.learn(error.replica_id, error.loaded_ids)
            raise
        if contents is not None:
            contents.learn(answer.replica_id, answer.loaded_ids)
            self._spread_when_pressed(model_id, contents)
        return answer

    def _spread_when_pressed(self, model_id: str, contents: ReplicaContents) -> None:
        """Have one more replica load a model that those which have it do not keep up with.

        A whole call's worth of work waits although a call has just come back: that is the sign.
        """
        queue = self.queue
        if (
            model_id not in self._spreading
            and queue.waiting_items(model_id) >= queue.most_items(model_id)
            and len(contents.holders(model_id)) < queue.replica_count
        ):
            task = asyncio.get_running_loop().create_task(
                self._spread(model_id, contents), context=contextvars.Context()
            )
            self._spreading[model_id] = task
            task.add_done_callback(lambda _: self._spreading.pop(model_id, None), context=contextvars.Context())

    async def _spread(self, model_id: str, contents: ReplicaContents) -> None:
        try:
            answer: CallAnswer[None] = await self.calls.answer("load", LoadCall(model_id=model_id))
        except (ServingError, RayError, ConnectionLostError) as error:
            logger.warning("one more replica does not load a model", extra={"model_id": model_id, "error": str(error)})
            return
        contents.learn(answer.replica_id, answer.loaded_ids)


AnyModelDeployment = ModelDeployment[Any, Any]
