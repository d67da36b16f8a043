"""Raw tensors for the networks of models, wherever these are served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from deployments.dataplane.messages import CallAnswer, InferCall, NetworkCall
from deployments.dataplane.tensor_question import NetworkDescription, TensorQuestion, Tensors
from deployments.errors import ModelTaskError
from deployments.router.coalescing import CoalescingQueue
from deployments.router.deployment_calls import LOST_ERRORS
from deployments.router.model_deployment import AnyModelDeployment
from deployments.router.replica_contents import ReplicaContents
from deployments.settings import CoalescingLimits

Key = tuple[str, str]
"""A model, and the signature of the tensors for it."""


class RawTensors:
    """Sends tensors to the deployment that serves the model's task, whatever the task is.

    Attributes:
        queue: tensors that wait or are under way; those of one signature share calls.
    """

    def __init__(
        self,
        candidates: Callable[[str], Sequence[AnyModelDeployment]],
        contents: ReplicaContents,
        limits: CoalescingLimits,
    ) -> None:
        """Nothing is asked yet.

        Args:
            candidates: the deployments that may serve a model of this id.
            contents: what the replicas of shared deployments hold; learns from answers.
            limits: how calls are shared.
        """
        self._candidates = candidates
        self._contents = contents
        self._served_by: dict[str, AnyModelDeployment] = {}
        self.queue: CoalescingQueue[Key, TensorQuestion, Tensors] = CoalescingQueue(
            "the network", self._send, lost_errors=LOST_ERRORS, limits=limits
        )

    async def network(self, model_id: str) -> NetworkDescription:
        """What the network of a model takes and gives, as the deployment says that serves its task.

        Raises:
            ServingError: no such model, or it cannot be loaded.
        """
        candidates = self._candidates(model_id)
        for deployment in candidates:
            call = NetworkCall(model_id=model_id)
            try:
                description = cast("NetworkDescription", await deployment.calls.answer("network", call))
            except ModelTaskError:
                if deployment is candidates[-1]:
                    raise
            else:
                self._served_by[model_id] = deployment
                return description
        raise AssertionError("there is at least one candidate, and the last one answers or raises")

    async def prepare(self, model_id: str) -> None:
        """Find out where a model is served, before anything is put into the queue.

        Raises:
            ServingError: no such model, or it cannot be loaded.
        """
        if model_id not in self._served_by:
            await self.network(model_id)

    async def _send(
        self, key: Key, questions: Sequence[TensorQuestion], deadlines_unix_s: Sequence[float], may_load: bool
    ) -> CallAnswer[Tensors]:
        deployment = self._served_by[key[0]]
        call = InferCall(model_id=key[0], questions=tuple(questions), deadlines_unix_s=tuple(deadlines_unix_s))
        answer: CallAnswer[Tensors] = await deployment.calls.answer("infer", call)
        if deployment.is_shared:
            self._contents.learn(answer.replica_id, answer.loaded_ids)
        return answer
