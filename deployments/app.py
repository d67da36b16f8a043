"""The application: which deployments there are and who holds a handle to whom. Nothing else binds them.

Numbers (replicas, CPUs, GPUs, queue lengths) are in `serve_config.yaml`. There is no `from __future__ import
annotations` here: Ray reads the type of `args`, and would hand a raw dict to a function whose types are text.
"""

from ray import serve
from ray.serve import Application

from deployments.detector.object_detector import ObjectDetector
from deployments.ocr.text_reader import TextReader
from deployments.router.workflow_router import WorkflowRouter
from deployments.settings import ClusterArgs
from deployments.transforms.transform_worker import TransformWorker


def build(args: ClusterArgs) -> Application:
    """One endpoint: a WorkflowRouter over an ObjectDetector, a TextReader and a TransformWorker of its own."""
    object_detector = serve.deployment(name="ObjectDetector")(ObjectDetector).bind(args)
    text_reader = serve.deployment(name="TextReader")(TextReader).bind(args)
    transform_worker = None
    if not args.transforms_in_router:
        transform_worker = serve.deployment(name="TransformWorker")(TransformWorker).bind(args)
    router = serve.deployment(name="WorkflowRouter")(WorkflowRouter)
    return router.bind(args, object_detector, text_reader, transform_worker)
