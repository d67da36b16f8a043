"""Whether the machines of a cluster can hold what a configuration asks for.

Serve waits without a word for a machine that could hold a replica, so what no machine ever can is said beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deployments.dataplane.own_deployments import actor_options
from deployments.settings import ModelSettings

DEFAULT_CPUS = 1.0
ACCELERATOR = "accelerator_type:"


def impossible_replicas(config: Mapping[str, Any], machines: Sequence[Mapping[str, float]]) -> list[str]:
    """One line for each deployment that no machine can hold even one replica of.

    Args:
        config: Serve configuration.
        machines: resources of each machine, as Ray names them: `CPU`, `GPU`, `accelerator_type:<name>`, own ones.
    """
    lines = []
    for application in config["applications"]:
        for deployment in (*(application.get("deployments") or ()), *_own_deployments(application)):
            wanted = replica_resources(deployment.get("ray_actor_options") or {})
            if not any(
                all(machine.get(name, 0.0) >= amount for name, amount in wanted.items()) for machine in machines
            ):
                most = {name: max((machine.get(name, 0.0) for machine in machines), default=0.0) for name in wanted}
                short = ", ".join(
                    _lack(name, amount, most[name]) for name, amount in wanted.items() if amount > most[name]
                )
                reason = short or f"{wanted} together on one machine"
                lines.append(f"{application['name']}/{deployment['name']} asks for {reason}")
    return lines


def _own_deployments(application: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Deployments of single models, as the arguments ask for them."""
    for model_id, given in ((application.get("args") or {}).get("models") or {}).items():
        settings = ModelSettings.model_validate(given)
        if settings.has_own_deployment:
            yield {"name": model_id, "ray_actor_options": actor_options(settings)}


def replica_resources(options: Mapping[str, Any]) -> dict[str, float]:
    """What one replica takes, under Ray's names."""
    wanted = {"CPU": float(options.get("num_cpus", DEFAULT_CPUS)), "GPU": float(options.get("num_gpus") or 0.0)}
    wanted["memory"] = float(options.get("memory") or 0.0)
    wanted |= {name: float(amount) for name, amount in (options.get("resources") or {}).items()}
    if options.get("accelerator_type"):
        wanted[ACCELERATOR + options["accelerator_type"]] = 0.001  # as much as Ray asks for
    return {name: amount for name, amount in wanted.items() if amount > 0}


def _lack(name: str, amount: float, most: float) -> str:
    if name.startswith(ACCELERATOR):
        return f"an accelerator {name.removeprefix(ACCELERATOR)} (no machine has one)"
    return f"{amount:g} {name} (the largest machine has {most:g})"
