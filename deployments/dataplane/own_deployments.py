"""Deployments of single models: what they are called, and what each of their replicas takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from deployments.dataplane.served_models import ServedModels
from deployments.errors import InvalidRequestError
from deployments.models.tasks import READING
from deployments.settings import ModelSettings

# As `serve_config.yaml` has them for the deployments that models share, and for the same reasons.
NUM_CPUS = 0.25
MAX_ONGOING_REQUESTS = 16
UPSCALE_DELAY_S, DOWNSCALE_DELAY_S = 0, 60
WAKE_S = 0.5


def deployment_names(served: ServedModels) -> dict[str, str]:
    """Id of each model that has a deployment of its own -> name of that, which Ray's files can be called by.

    Raises:
        InvalidRequestError: two would be called the same.
    """
    names: dict[str, str] = {}
    for model_id in served.own_ids:
        kind = "TextReader" if served.packages[model_id].task_type in READING else "ObjectDetector"
        name = f"{kind}-{re.sub('[^A-Za-z0-9_-]', '.', model_id)}"
        if name in names.values():
            raise InvalidRequestError(f"models.{model_id}: another model's deployment is called {name} already")
        names[model_id] = name
    return names


def own_options(settings: ModelSettings) -> dict[str, Any]:
    """Options of a deployment of one model, in Serve's words."""
    fewest = 1 if settings.replicas is None else settings.replicas
    most = max(1, fewest, settings.max_replicas or 0)
    growth: dict[str, Any] = {"num_replicas": fewest}
    if most > fewest:
        growth = {
            "autoscaling_config": {
                "min_replicas": fewest,
                "max_replicas": most,
                "upscale_delay_s": UPSCALE_DELAY_S,
                "downscale_delay_s": DOWNSCALE_DELAY_S,
                "downscale_to_zero_delay_s": settings.idle_s,
            }
        }
    if not fewest:  # who calls says so to Serve this often, and Serve starts a replica for the first call
        growth["autoscaling_config"]["metrics_interval_s"] = WAKE_S
    return {
        **growth,
        "max_ongoing_requests": MAX_ONGOING_REQUESTS,
        "graceful_shutdown_wait_loop_s": 0.5,
        "health_check_period_s": 5,
        "ray_actor_options": actor_options(settings),
    }


def actor_options(settings: ModelSettings) -> dict[str, Any]:
    """What one replica takes, in Ray's words."""
    wanted: Mapping[str, Any] = {
        "num_cpus": NUM_CPUS if settings.num_cpus is None else settings.num_cpus,
        "num_gpus": settings.num_gpus,
        "accelerator_type": settings.accelerator_type,
    }
    return {name: value for name, value in wanted.items() if value is not None}
