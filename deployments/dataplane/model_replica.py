"""What the deployments that run models have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from deployments.dataplane.backend import ModelLoad
from deployments.dataplane.call_socket import Method
from deployments.dataplane.computing import ComputeThread
from deployments.dataplane.messages import CallAnswer, InferCall, LoadCall, NetworkCall, PredictCall, ReadCall
from deployments.dataplane.replica_models import ReplicaModels
from deployments.dataplane.replica_sockets import DirectlyCalled
from deployments.dataplane.served_models import served_models
from deployments.dataplane.tensor_compute import describe_network, infer_tensors
from deployments.dataplane.tensor_question import NetworkDescription, Tensors
from deployments.errors import ModelNotLoadedError
from deployments.models.loading import LoadedModel
from deployments.models.registry import ModelRow
from deployments.models.tasks import Tasks
from deployments.settings import ClusterArgs, ReplicaTuning

Call = PredictCall | ReadCall | InferCall
Done = TypeVar("Done")


class ModelReplica(DirectlyCalled):
    """A replica with models of some tasks, and the thread that runs them; Serve calls its methods by name."""

    def __init__(self, tasks: Tasks, replica_id: str, args: ClusterArgs, only: str | None = None) -> None:
        self.loaded = ReplicaModels(tasks, served_models(args), only)
        self.thread = ComputeThread("models", replica_id)
        self._replica_id = replica_id

    def listen_for(self, method: Method) -> None:
        """Take calls of this method, and of those that every model has, at a socket too."""
        self.listen(self._replica_id, method, self.load, self.infer, self.network)

    async def run(
        self, call: Call, compute: Callable[[LoadedModel, list[int]], Sequence[Done | Exception]]
    ) -> CallAnswer[Done]:
        """The answer to a call.

        Args:
            call: which model, and until when.
            compute: given the model and the positions of the items to do, answers each of them in order.

        Raises:
            ModelError: no such model, or it does not load.
            ModelNotLoadedError: the call must not wait for a load, and the model is not loaded.
        """
        acquired = await self.loaded.acquire(call.model_id, may_load=call.may_load)
        if acquired is None:
            raise ModelNotLoadedError(
                f"model {call.model_id!r} is not loaded here", self._replica_id, self.loaded.loaded_ids
            )
        model, loads = acquired
        answer = await self.thread.run(call.deadlines_unix_s, lambda live: compute(model, live), loads)
        return replace(answer, loaded_ids=self.loaded.loaded_ids)

    async def load(self, call: LoadCall) -> CallAnswer[None]:
        """Have a model loaded."""
        acquired = await self.loaded.acquire(call.model_id)
        return CallAnswer(
            results=(),
            replica_id=self._replica_id,
            compute_ms=0.0,
            model_loads=acquired[1] if acquired is not None else (),
            loaded_ids=self.loaded.loaded_ids,
        )

    async def infer(self, call: InferCall) -> CallAnswer[Tensors]:
        """What the network of a model makes of the tensors of each question."""
        return await self.run(call, lambda model, live: infer_tensors(model, [call.questions[at] for at in live]))

    async def network(self, call: NetworkCall) -> NetworkDescription:
        """What the network of a model takes and gives; the model is loaded here when it is not."""
        acquired = await self.loaded.acquire(call.model_id)
        assert acquired is not None  # it may be loaded for this
        return describe_network(acquired[0])

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take another `user_config`, live."""
        self.loaded.tune(ReplicaTuning.model_validate(user_config))

    async def models(self) -> tuple[ModelRow, ...]:
        """Models that this replica has loaded."""
        return self.loaded.describe()

    async def add_model(self, model_id: str) -> tuple[ModelLoad, ...]:
        """Load a model here; gives the load, unless it was there."""
        acquired = await self.loaded.acquire(model_id)
        return () if acquired is None else acquired[1]

    async def remove_model(self, model_id: str) -> None:
        """Unload a model here."""
        self.loaded.remove(model_id)

    async def clear_models(self) -> None:
        """Unload every model here that is not pinned."""
        self.loaded.clear()

    def check_health(self) -> None:
        """Fail when a computation does not end."""
        self.thread.check()
