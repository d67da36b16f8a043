"""Settings for `serve_config.yaml` that give an endpoint the replicas of an answer."""

from __future__ import annotations

from typing import Any

import yaml

from deployments.capacity.plan import Answer


def settings_of(answer: Answer) -> dict[str, Any]:
    """What an application's `args` and `deployments` must say; other keys stay as they are."""
    models: dict[str, Any] = {}
    for row in answer.rows:
        if row.model_id is not None:
            each: dict[str, Any] = {
                "replicas": row.replicas,
                "max_batch_items": row.max_batch_items,
                "num_cpus": row.num_cpus,
            }
            models[row.model_id] = each | ({"num_gpus": row.num_gpus} if row.num_gpus else {})
    fixed = {"WorkflowRouter": answer.routers} | {
        row.deployment: row.replicas for row in answer.rows if row.model_id is None
    }
    return {
        "args": {"models": models},
        "deployments": [
            {"name": name, "autoscaling_config": {"min_replicas": count, "max_replicas": count}}
            for name, count in fixed.items()
        ],
    }


def as_yaml(answer: Answer) -> str:
    """The same as text, as it stands below an application."""
    return yaml.safe_dump(settings_of(answer), sort_keys=False, default_flow_style=None, width=100)
