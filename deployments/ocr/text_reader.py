"""The Serve deployment that reads the text on images."""

from __future__ import annotations

import ray
from ray import serve

from deployments.dataplane.compute import as_text_reader, read_images
from deployments.dataplane.messages import CallAnswer, ReadCall
from deployments.dataplane.model_replica import ModelReplica
from deployments.models.tasks import READING
from deployments.observability.replica_logs import log_to_directory
from deployments.settings import ClusterArgs
from workflows.values.recognized_text import RecognizedText


class TextReader(ModelReplica):
    """Runs any text reader it serves, on batches that hold crops and pages of many requests."""

    def __init__(self, args: ClusterArgs) -> None:
        replica_id = serve.get_replica_context().replica_id.unique_id
        log_to_directory(args.log_dir, "text-reader", replica_id, ray.get_gpu_ids())
        super().__init__(READING, replica_id, args)

    async def read(self, call: ReadCall) -> CallAnswer[RecognizedText]:
        """Text on each image of the call."""
        loaded, loads = await self.loaded.acquire(call.model_id)
        model = as_text_reader(loaded)
        return await self.thread.run(
            call.deadlines_unix_s, lambda live: read_images(model, [call.images[at] for at in live]), loads
        )
