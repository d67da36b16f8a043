"""The Serve deployment that finds objects on images."""

from __future__ import annotations

import ray
from ray import serve

from deployments.dataplane.compute import as_object_detector, detect_images
from deployments.dataplane.messages import CallAnswer, DetectCall
from deployments.dataplane.model_replica import ModelReplica
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.loading import OBJECT_DETECTION
from deployments.observability.replica_logs import log_to_directory
from deployments.settings import ClusterArgs


class ObjectDetector(ModelReplica):
    """Runs any object detector it serves, on batches that hold images of many requests."""

    def __init__(self, args: ClusterArgs) -> None:
        replica_id = serve.get_replica_context().replica_id.unique_id
        log_to_directory(args.log_dir, "object-detector", replica_id, ray.get_gpu_ids())
        super().__init__(OBJECT_DETECTION, replica_id, args)

    async def detect(self, call: DetectCall) -> CallAnswer[ScoredBoxes]:
        """Boxes on each image of the call."""
        loaded, loads = await self.loaded.acquire(call.model_id)
        model = as_object_detector(loaded)
        return await self.thread.run(
            call.deadlines_unix_s,
            lambda live: detect_images(model, [(call.images[at], call.options[at]) for at in live]),
            loads,
        )
