"""The models of one replica: those of its tasks, some loaded before the first call and kept."""

from __future__ import annotations

from deployments.dataplane.backend import ModelLoad
from deployments.dataplane.served_models import ServedModels
from deployments.models.loading import LoadedModel, load_model
from deployments.models.package import wrong_task
from deployments.models.registry import ModelRegistry, ModelRow
from deployments.models.tasks import Tasks
from deployments.settings import ReplicaTuning


class ReplicaModels:
    """Loads models as they are asked for, and lists them."""

    def __init__(self, tasks: Tasks, served: ServedModels, only: str | None = None) -> None:
        """Load the models that are always here.

        Args:
            tasks: models of other tasks are known and refused.
            served: what there is.
            only: the one model that this replica serves; None for all without replicas of their own.

        Raises:
            ModelError: a shipped package does not load, or there is no such folder.
        """
        packages = served.packages
        pinned = served.pinned_ids(tasks) if only is None else (only,)
        self._tasks = tasks
        self._registry: ModelRegistry[LoadedModel] = ModelRegistry(
            packages if only is None else {only: packages[only]},
            lambda package: load_model(package, served.engine_of(package.model_id), others=packages),
            pinned_ids=pinned,
            refused=served.refused,
        )
        for model_id in pinned:
            self._registry.get_blocking(model_id)

    def tune(self, tuning: ReplicaTuning) -> None:
        """Keep another number of models."""
        self._registry.resize(tuning.max_loaded_models)

    @property
    def loaded_ids(self) -> tuple[str, ...]:
        """Models that are loaded now, the least recently used first."""
        return self._registry.loaded_ids

    async def acquire(
        self, model_id: str, *, may_load: bool = True
    ) -> tuple[LoadedModel, tuple[ModelLoad, ...]] | None:
        """A model, and the load it cost; None when it is not loaded and must not be for this.

        Raises:
            ModelError: no such model, or it does not load.
            ModelTaskError: it is for something else.
        """
        self._check_task(model_id)
        if not may_load and not self._registry.is_loaded(model_id):
            return None
        acquired = await self._registry.acquire(model_id)
        if acquired.load_s is None:
            return acquired.model, ()
        return acquired.model, (ModelLoad(model_id=acquired.model_id, seconds=acquired.load_s),)

    def remove(self, model_id: str) -> None:
        """Forget a model; nothing happens when it is not loaded.

        Raises:
            ModelError: no such model.
            ModelTaskError: it is for something else.
        """
        self._check_task(model_id)
        self._registry.remove(model_id)

    def clear(self) -> None:
        """Forget every model that is not pinned."""
        self._registry.clear()

    def describe(self) -> tuple[ModelRow, ...]:
        """Models that are loaded now."""
        return self._registry.describe()

    def _check_task(self, model_id: str) -> None:
        package = self._registry.package(model_id)
        if package.task_type not in self._tasks:
            raise wrong_task(package, self._tasks)
