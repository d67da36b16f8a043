"""The Serve deployment that reads the text on images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ray
from ray import serve

from deployments.dataplane.backend import ModelDescription, ModelLoad
from deployments.dataplane.compute import as_text_recognizer, read_images
from deployments.dataplane.computing import ComputeThread
from deployments.dataplane.messages import CallAnswer, ReadCall
from deployments.dataplane.replica_models import ReplicaModels
from deployments.models.loading import TEXT_RECOGNITION
from deployments.observability.replica_logs import log_to_directory
from deployments.settings import ReplicaTuning
from workflows.values.recognized_text import RecognizedText


class TextReader:
    """Runs any text recognizer it serves, on batches that hold crops of many requests."""

    def __init__(self, models_dir: Path | None, log_dir: Path | None) -> None:
        replica_id = serve.get_replica_context().replica_id.unique_id
        log_to_directory(log_dir, "text-reader", replica_id, ray.get_gpu_ids())
        self._models = ReplicaModels(TEXT_RECOGNITION, models_dir)
        self._thread = ComputeThread("text-reader", replica_id)

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take another `user_config`, live."""
        self._models.tune(ReplicaTuning.model_validate(user_config))

    async def read(self, call: ReadCall) -> CallAnswer[RecognizedText]:
        """Text on each image of the call."""
        loaded, loads = await self._models.acquire(call.model_id)
        model = as_text_recognizer(loaded)
        return await self._thread.run(
            call.deadlines_unix_s, lambda live: read_images(model, [call.images[at] for at in live]), loads
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
