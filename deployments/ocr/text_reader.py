"""The Serve deployment that reads the text on images."""

from __future__ import annotations

import ray
from ray import serve

from deployments.dataplane.compute import as_text_reader, read_images
from deployments.dataplane.messages import CallAnswer, ReadCall
from deployments.dataplane.model_replica import ModelReplica
from deployments.models.tasks import READING
from deployments.observability.ray_export import export_to_ray
from deployments.observability.replica_logs import log_to_directory
from deployments.settings import ClusterArgs
from workflows.values.recognized_text import RecognizedText


class TextReader(ModelReplica):
    """Runs any text reader it serves, on batches that hold crops and pages of many requests."""

    def __init__(self, args: ClusterArgs, only: str | None = None) -> None:
        """Load the models that are always here; arguments as of an ObjectDetector."""
        replica_id = serve.get_replica_context().replica_id.unique_id
        log_to_directory(args.log_dir, "text-reader", replica_id, ray.get_gpu_ids())
        export_to_ray()
        super().__init__(READING, replica_id, args, only)
        self.listen_for(self.read)

    async def read(self, call: ReadCall) -> CallAnswer[RecognizedText]:
        """Text on each image of the call."""
        return await self.run(
            call, lambda model, live: read_images(as_text_reader(model), [call.images[at] for at in live])
        )
