"""The models of one replica: those of its tasks, the shipped ones loaded before the first call and kept."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from deployments.dataplane.backend import ModelLoad
from deployments.models.loading import LoadedModel, load_model
from deployments.models.offer import offer
from deployments.models.package import SHIPPED_DIRECTORY, discover_packages, wrong_task
from deployments.models.registry import ModelRegistry, ModelRow
from deployments.models.tasks import Tasks
from deployments.settings import EngineSettings, ReplicaTuning


class ReplicaModels:
    """Loads models as they are asked for, and lists them."""

    def __init__(self, tasks: Tasks, models_dir: Path | None, engine: EngineSettings) -> None:
        """Load the shipped models for some tasks.

        Args:
            tasks: models of other tasks are known and refused.
            models_dir: folder of packages beside the shipped ones; None for the shipped ones alone.
            engine: how networks use the machine.

        Raises:
            ModelError: a shipped package does not load, or there is no such folder.
        """
        shipped = discover_packages(SHIPPED_DIRECTORY)
        offered = offer(SHIPPED_DIRECTORY) if models_dir is None else offer(SHIPPED_DIRECTORY, models_dir)
        packages = offered.packages
        pinned = tuple(each for each in shipped if each in packages and packages[each].task_type in tasks)
        self._tasks = tasks
        self._registry: ModelRegistry[LoadedModel] = ModelRegistry(
            packages,
            partial(load_model, settings=engine, others=packages),
            pinned_ids=pinned,
            refused=offered.refused,
        )
        for model_id in pinned:
            self._registry.get_blocking(model_id)

    def tune(self, tuning: ReplicaTuning) -> None:
        """Keep another number of models."""
        self._registry.resize(tuning.max_loaded_models)

    async def acquire(self, model_id: str) -> tuple[LoadedModel, tuple[ModelLoad, ...]]:
        """A model, and the load it cost.

        Raises:
            ModelError: no such model, or it does not load.
            ModelTaskError: it is for something else.
        """
        self._check_task(model_id)
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
