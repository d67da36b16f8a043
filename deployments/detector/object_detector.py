"""The Serve deployment that finds objects on images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ray
from ray import serve

from deployments.dataplane.backend import FoundBoxes, ModelDescription, ModelLoad
from deployments.dataplane.compute import as_object_detector, detect_images
from deployments.dataplane.computing import ComputeThread
from deployments.dataplane.messages import CallAnswer, DetectCall
from deployments.dataplane.replica_models import ReplicaModels
from deployments.models.loading import OBJECT_DETECTION
from deployments.observability.replica_logs import log_to_directory
from deployments.settings import ReplicaTuning


class ObjectDetector:
    """Runs any object detector it serves, on batches that hold images of many requests."""

    def __init__(self, models_dir: Path | None, log_dir: Path | None) -> None:
        replica_id = serve.get_replica_context().replica_id.unique_id
        log_to_directory(log_dir, "object-detector", replica_id, ray.get_gpu_ids())
        self._models = ReplicaModels(OBJECT_DETECTION, models_dir)
        self._thread = ComputeThread("object-detector", replica_id)

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take another `user_config`, live."""
        self._models.tune(ReplicaTuning.model_validate(user_config))

    async def detect(self, call: DetectCall) -> CallAnswer[FoundBoxes]:
        """Boxes on each image of the call."""
        loaded, loads = await self._models.acquire(call.model_id)
        model = as_object_detector(loaded)
        return await self._thread.run(
            call.deadlines_unix_s,
            lambda live: detect_images(model, [(call.images[at], call.options[at]) for at in live]),
            loads,
        )

    async def models(self) -> tuple[ModelDescription, ...]:
        """Models that this replica has loaded."""
        return self._models.describe()

    async def add_model(self, model_id: str) -> tuple[ModelLoad, ...]:
        """Load a model here."""
        return (await self._models.acquire(model_id))[1]

    async def remove_model(self, model_id: str) -> None:
        """Unload a model here."""
        self._models.remove(model_id)

    async def clear_models(self) -> None:
        """Unload every model here that is not pinned."""
        self._models.clear()

    def check_health(self) -> None:
        """Fail when a computation does not end."""
        self._thread.check()
