"""Serve's side of scaling by queueing time; `serve_config.yaml` names it, and Serve's controller calls it at each turn.

Source: ray 2.60.0, `ray/serve/autoscaling_policy.py`, of policies of applications.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from deployments.router.scaling import Look, Memory, wanted_replicas
from deployments.router.scaling_signals import IDLE_CORES, ROUTER

STALE_S = 5.0
"""Age at which signals say nothing any more."""

Signals = Mapping[str, float]


class QueueingTimePolicy:
    """Decides for every deployment of one application that may grow and shrink."""

    def __init__(self) -> None:
        self._memories: dict[str, Memory] = {}

    def __call__(self, contexts: Mapping[Any, Any]) -> tuple[dict[Any, int], dict[Any, dict[str, Any]]]:
        """Replicas for each deployment; those of which nothing is known are left out, and stay as they are.

        Args:
            contexts: `DeploymentID` -> `AutoscalingContext`.
        """
        now_s = time.time()
        routers = [context for context in contexts.values() if context.deployment_name == ROUTER]
        told = signals_of(routers[0].raw_metrics or {}, now_s) if routers else []
        decisions = {}
        for deployment_id, context in contexts.items():
            name = context.deployment_name
            look = look_at(name, told, now_s, running=context.current_num_replicas, wanted=context.target_num_replicas)
            if look is None:
                continue
            wanted, self._memories[name] = wanted_replicas(look, self._memories.get(name, Memory()))
            least, most = context.capacity_adjusted_min_replicas, context.capacity_adjusted_max_replicas
            decisions[deployment_id] = max(least, min(most, wanted))
        return decisions, {}


def signals_of(raw_metrics: Mapping[str, Mapping[Any, Any]], now_s: float) -> list[Signals]:
    """The newest signals of each WorkflowRouter that has said something of late.

    Args:
        raw_metrics: name of a signal -> replica -> values with their times, oldest first.
        now_s: seconds since the epoch.
    """
    routers: dict[Any, dict[str, float]] = {}
    for name, series_of in raw_metrics.items():
        for replica, series in series_of.items():
            if series and series[-1].timestamp > now_s - STALE_S:
                routers.setdefault(replica, {})[name] = series[-1].value
    return list(routers.values())


def look_at(name: str, told: list[Signals], now_s: float, *, running: int, wanted: int) -> Look | None:
    """What all WorkflowRouters together see of a deployment; None when none of them knows it."""
    known = [signals for signals in told if f"{name}|wait_s" in signals]
    if not known:
        return None
    idle = [signals[IDLE_CORES] for signals in known if IDLE_CORES in signals]
    return Look(
        now_s=now_s,
        running=running,
        wanted=wanted,
        wait_s=max(signals[f"{name}|wait_s"] for signals in known),
        item_s=max(signals[f"{name}|item_s"] for signals in known),
        busy_s=sum(signals[f"{name}|busy_s"] for signals in known),
        pending=int(sum(signals[f"{name}|pending"] for signals in known)),
        refused=any(signals[f"{name}|refused"] for signals in known),
        idle_cores=min(idle) if idle else None,
    )
