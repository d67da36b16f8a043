"""What runs endpoints, seen from the control plane: one machine and Kubernetes are two implementations.

All calls return soon: they start something, and `observe` says how far it is. Each may be repeated without harm, since
a control plane that was killed does not know which of its calls were carried out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from deployments.control.machine_types import MachineType


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSpec:
    """What an endpoint should be.

    Attributes:
        name: its subdomain, which no other endpoint of the platform has.
        workspace: whose it is.
        machine_type: what each replica takes.
        min_replicas: replicas at least.
        max_replicas: replicas to which it may grow under load.
        args: fields of ClusterArgs, laid over those of the platform.
    """

    name: str
    workspace: str
    machine_type: MachineType
    min_replicas: int = 1
    max_replicas: int = 1
    args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def revision(self) -> str:
        """Names what is served and on what; the same for any number of replicas."""
        content = {"args": self.args, "machine_type": self.machine_type.model_dump(), "workspace": self.workspace}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


class Phase(StrEnum):
    """How far a revision of an endpoint is."""

    STARTING = "starting"
    READY = "ready"  # it has answered a real inference
    FAILED = "failed"  # it will not become ready by itself
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionState:
    """One revision of an endpoint, as it is now.

    Attributes:
        phase: how far it is.
        num_replicas: replicas that could answer now.
        replicas: least and most replicas that it was told to have.
        reason: why it failed, or what it waits for; empty when there is nothing to say.
        route: what the edge puts before the path of a request; of meaning when READY.
    """

    phase: Phase
    num_replicas: int = 0
    replicas: tuple[int, int] = (1, 1)
    reason: str = ""
    route: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One endpoint, as the platform has it.

    Attributes:
        revisions: what takes resources, by revision; two while one replaces another, none while suspended.
    """

    revisions: Mapping[str, RevisionState] = field(default_factory=dict)


ABSENT = Observation()


class EndpointPlatform(Protocol):
    """Runs endpoints. Every method may raise PlatformError, and is then called again later."""

    def create(self, spec: EndpointSpec) -> None:
        """Begin to run an endpoint."""

    def update(self, spec: EndpointSpec) -> None:
        """Give it other numbers of replicas in place, or begin another revision beside the one that answers."""

    def retire(self, name: str, revision: str) -> None:
        """End a revision when another one answers or it failed; requests under way are finished."""

    def suspend(self, name: str) -> None:
        """End all that takes resources; requests under way are finished."""

    def resume(self, spec: EndpointSpec) -> None:
        """Begin to run a suspended endpoint again."""

    def delete(self, name: str) -> None:
        """Remove it altogether."""

    def observe(self) -> Mapping[str, Observation]:
        """All endpoints it has, by name, those of no interest to anybody included."""

    def impossible(self, spec: EndpointSpec) -> str | None:
        """Why no machine could ever hold one replica; None when one could."""

    def capacity(self) -> Mapping[str, float] | None:
        """What there is for all endpoints together, under Ray's names; None when machines are added as needed."""
