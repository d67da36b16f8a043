"""The Serve deployment that runs models of whole images: detectors, segmenters, key point models, classifiers."""

from __future__ import annotations

import ray
from ray import serve

from deployments.dataplane.compute import as_image_model, predict_images
from deployments.dataplane.messages import CallAnswer, PredictCall
from deployments.dataplane.model_replica import ModelReplica
from deployments.models.image_model import Prediction
from deployments.models.tasks import IMAGE_TASKS
from deployments.observability.ray_export import export_to_ray
from deployments.observability.replica_logs import log_to_directory
from deployments.settings import ClusterArgs


class ObjectDetector(ModelReplica):
    """Runs any image model it serves, on batches that hold images of many requests.

    Most of them detect objects, hence the name; what each of the others answers is a matter of its own code alone.
    """

    def __init__(self, args: ClusterArgs, only: str | None = None) -> None:
        """Load the models that are always here.

        Args:
            args: of the endpoint.
            only: the one model that this deployment serves; None for all that share it.
        """
        replica_id = serve.get_replica_context().replica_id.unique_id
        log_to_directory(args.log_dir, "object-detector", replica_id, ray.get_gpu_ids())
        export_to_ray()
        super().__init__(IMAGE_TASKS, replica_id, args, only)
        self.listen_for(self.predict)

    async def predict(self, call: PredictCall) -> CallAnswer[Prediction]:
        """What the model says about each image of the call."""
        return await self.run(
            call, lambda model, live: predict_images(as_image_model(model), [call.questions[at] for at in live])
        )
