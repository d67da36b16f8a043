"""The Serve deployment behind the door: it runs workflows, and has the other deployments do what is heavy."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ray
from fastapi import FastAPI
from ray import serve
from ray.serve.handle import DeploymentHandle
from starlette.types import ASGIApp

from deployments.dataplane.service import WorkflowService
from deployments.dataplane.warm_up import warm_up
from deployments.errors import ServingError
from deployments.ingress.app import create_app
from deployments.ingress.short_way import Reachable
from deployments.kserve.grpc_door import GrpcDoor
from deployments.observability.admission_metrics import watch_admission
from deployments.observability.ray_export import export_to_ray
from deployments.observability.replica_logs import log_to_directory
from deployments.router.cluster_backend import ClusterBackend
from deployments.router.placement import Placement, plainly_pickled
from deployments.router.queue_metrics import watch_queues
from deployments.router.replica_contents import contents_seen_here
from deployments.router.scaling_signals import ScalingSignals
from deployments.settings import ClusterArgs, RouterTuning
from workflows.errors import WorkflowError

logger = logging.getLogger(__name__)

WARM_UP_PAUSE_S = 1.0


@serve.ingress()
class WorkflowRouter(GrpcDoor):
    """Answers HTTP and gRPC, compiles definitions, runs plans, and sends work of all requests out in shared calls."""

    def __init__(
        self,
        args: ClusterArgs,
        object_detector: DeploymentHandle[Any],
        text_reader: DeploymentHandle[Any],
        transform_worker: DeploymentHandle[Any] | None,
        placement: Placement,
    ) -> None:
        """Connect to the deployments.

        Args:
            args: of the endpoint.
            object_detector: of the models that share it.
            text_reader: of the models that share it.
            transform_worker: None when its work is done here.
            placement: of models that are not served like all others.
        """
        log_to_directory(
            args.log_dir, "workflow-router", serve.get_replica_context().replica_id.unique_id, ray.get_gpu_ids()
        )
        self._backend = ClusterBackend(
            plainly_pickled(object_detector),
            plainly_pickled(text_reader),
            None if transform_worker is None else plainly_pickled(transform_worker),
            placement=placement.with_plain_pickles(),
            contents=contents_seen_here(),
        )
        self._service = WorkflowService(self._backend, args.ingress, text_reader_model=args.text_reader_model)
        watch_queues(self._backend.queues)
        self._scaling_signals = ScalingSignals(
            self._backend.queues_of_deployments,
            lambda: self._service.admission.refuses,
            sees_machine=args.grow_on_idle_cores,
        )
        watch_admission(self._service.admission)
        export_to_ray()

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """The application that Serve hands requests to."""
        app = create_app(lambda: self._service)

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            warming = asyncio.create_task(self._warm_up())
            try:
                yield
            finally:
                warming.cancel()
                self._service.close()

        app.router.lifespan_context = lifespan
        return Reachable(app)

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """What Serve's controller is told a few times a second, for `scaling_policy`."""
        return self._scaling_signals.read()

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take another `user_config`, live."""
        self._backend.tune(RouterTuning.model_validate(user_config))

    async def _warm_up(self) -> None:
        """Try until every deployment has answered; `/readiness` says 503 until then."""
        while True:
            try:
                texts = await warm_up(self._service)
                break
            except (ServingError, WorkflowError) as error:
                logger.warning("warm-up failed, trying again", extra={"error": str(error)})
                await asyncio.sleep(WARM_UP_PAUSE_S)
        # What exists now stays; the collector need not look at it at every request.
        gc.collect()
        gc.freeze()
        self._backend.mark_ready()
        logger.info("ready", extra={"read": texts})
