"""An endpoint as it is stored: what its owner wants, and what it was last seen to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from deployments.control.machine_types import MachineType
from deployments.control.platform import EndpointSpec
from deployments.storage import endpoints as stored
from deployments.storage.tables import ActualState, DesiredState


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint; times are seconds since 1970.

    Attributes:
        args: fields of ClusterArgs that its owner set.
        good_args: those with which it last became ready; None before it ever did.
        refused: why the last change was taken back; empty when it was not.
        custom_domains: hosts beside `<subdomain>.<domain>` that lead to it.
        detail: why it is as it is, for people.
        generation: grows with each change of what is wanted.
        wanted_unix_s: since when it is to run as it is to run now.
    """

    endpoint_id: str
    workspace: str
    name: str
    subdomain: str
    machine_type: str
    creator_email: str = ""
    inference_version: str = "latest"
    min_replicas: int = 1
    max_replicas: int = 1
    duration_h: float = 3.0
    delete_on_expiration: bool = True
    args: Mapping[str, Any] = field(default_factory=dict)
    good_args: Mapping[str, Any] | None = None
    refused: str = ""
    custom_domains: tuple[str, ...] = ()
    desired: DesiredState = DesiredState.RUNNING
    actual: ActualState = ActualState.PENDING
    detail: str = ""
    num_replicas: int = 0
    generation: int = 1
    created_unix_s: float = 0.0
    wanted_unix_s: float = 0.0
    expires_unix_s: float | None = None
    deleted_unix_s: float | None = None

    @classmethod
    def of(cls, row: stored.Endpoint) -> Endpoint:
        """An endpoint as it was read from the database, where what only endpoints know is in one document."""
        own = dict(row.spec)
        known = {part.name for part in fields(cls)} & {part.name for part in fields(stored.Endpoint)}
        return cls(
            **{name: getattr(row, name) for name in known},
            args=own.get("args") or {},
            good_args=own.get("good_args"),
            refused=own.get("refused", ""),
            custom_domains=tuple(own.get("custom_domains") or ()),
            wanted_unix_s=own.get("wanted_unix_s", row.created_unix_s),
        )

    def document(self) -> dict[str, Any]:
        """What only endpoints know, for the database."""
        return {
            "args": dict(self.args),
            "good_args": None if self.good_args is None else dict(self.good_args),
            "refused": self.refused,
            "custom_domains": list(self.custom_domains),
            "wanted_unix_s": self.wanted_unix_s,
        }

    def spec(self, machine_type: MachineType) -> EndpointSpec:
        """What the platform is to run."""
        return EndpointSpec(
            name=self.subdomain,
            workspace=self.workspace,
            machine_type=machine_type,
            min_replicas=self.min_replicas,
            max_replicas=self.max_replicas,
            args=self.args,
        )
