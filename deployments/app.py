"""The application: which deployments there are and who holds a handle to whom. Nothing else binds them.

Numbers (replicas, CPUs, GPUs, queue lengths) are in `serve_config.yaml`. There is no `from __future__ import
annotations` here: Ray reads the type of `args`, and would hand a raw dict to a function whose types are text.
"""

from typing import Any

from ray import serve
from ray.serve import Application, Deployment
from ray.serve.config import RequestRouterConfig

from deployments.dataplane.own_deployments import deployment_names, own_options
from deployments.dataplane.served_models import served_models
from deployments.detector.object_detector import ObjectDetector
from deployments.models.tasks import READING
from deployments.ocr.text_reader import TextReader
from deployments.router.placement import Placement
from deployments.router.workflow_router import WorkflowRouter
from deployments.settings import ClusterArgs
from deployments.transforms.transform_worker import TransformWorker

MODEL_AFFINITY, FEWEST_CALLS = (
    RequestRouterConfig(request_router_class=f"deployments.router.replica_choice.{name}")  # type: ignore[arg-type]
    for name in ("ModelAffinityRouter", "FewestCallsRouter")
)


def build(args: ClusterArgs) -> Application:
    """One endpoint: a WorkflowRouter over an ObjectDetector, a TextReader and a TransformWorker of its own.

    A model with replicas of its own gets one more ObjectDetector or TextReader, named after it.
    """
    served = served_models(args)
    object_detector = _chosen("ObjectDetector", ObjectDetector, MODEL_AFFINITY).bind(args)
    text_reader = _chosen("TextReader", TextReader, MODEL_AFFINITY).bind(args)
    transform_worker = None
    if not args.transforms_in_router:
        transform_worker = _chosen("TransformWorker", TransformWorker, FEWEST_CALLS).bind(args)
    own_detectors: dict[str, Any] = {}  # Serve makes handles of what is bound, wherever in an argument it is
    own_readers: dict[str, Any] = {}
    for model_id, name in deployment_names(served).items():
        reads = served.packages[model_id].task_type in READING
        kind, own = (TextReader, own_readers) if reads else (ObjectDetector, own_detectors)
        deployment = _chosen(name, kind, FEWEST_CALLS, **own_options(served.of(model_id)))
        own[model_id] = deployment.bind(args, model_id)
    router = serve.deployment(name="WorkflowRouter")(WorkflowRouter)
    placement = Placement(
        known=served.known, batch_items=served.batch_items, detectors=own_detectors, readers=own_readers
    )
    return router.bind(args, object_detector, text_reader, transform_worker, placement)


def _chosen(name: str, kind: Any, choice: RequestRouterConfig, **options: Any) -> Deployment:
    return serve.deployment(name=name, request_router_config=choice, **options)(kind)
