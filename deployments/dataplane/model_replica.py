"""What the deployments that run models have in common."""

from __future__ import annotations

from typing import Any

from deployments.dataplane.backend import ModelLoad
from deployments.dataplane.computing import ComputeThread
from deployments.dataplane.replica_models import ReplicaModels
from deployments.models.registry import ModelRow
from deployments.models.tasks import Tasks
from deployments.settings import ClusterArgs, ReplicaTuning


class ModelReplica:
    """A replica with models of some tasks, and the thread that runs them; Serve calls its methods by name."""

    def __init__(self, tasks: Tasks, replica_id: str, args: ClusterArgs) -> None:
        self.loaded = ReplicaModels(tasks, args.models_dir, args.engine)
        self.thread = ComputeThread("models", replica_id)

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take another `user_config`, live."""
        self.loaded.tune(ReplicaTuning.model_validate(user_config))

    async def models(self) -> tuple[ModelRow, ...]:
        """Models that this replica has loaded."""
        return self.loaded.describe()

    async def add_model(self, model_id: str) -> tuple[ModelLoad, ...]:
        """Load a model here; gives the load, unless it was there."""
        return (await self.loaded.acquire(model_id))[1]

    async def remove_model(self, model_id: str) -> None:
        """Unload a model here."""
        self.loaded.remove(model_id)

    async def clear_models(self) -> None:
        """Unload every model here that is not pinned."""
        self.loaded.clear()

    def check_health(self) -> None:
        """Fail when a computation does not end."""
        self.thread.check()
