"""Bodies of the control plane's requests and answers, in the shapes that the vendor's client sends and reads.

Source: roboflow 1.7.3, `roboflow/adapters/deploymentapi.py` and `roboflow/deployment.py`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from deployments.control.endpoint import Endpoint
from deployments.control.machine_types import MachineType
from deployments.storage.tables import ActualState, DesiredState

MAX_REPLICAS = 1000
_NAME = re.compile(r"^[a-z][a-z0-9-]{3,13}[a-z0-9]\Z")
_DOMAIN = re.compile(r"^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$")


class EndpointConfig(BaseModel):
    """What an endpoint serves, where that differs from the cluster's own application."""

    model_config = ConfigDict(extra="forbid")

    text_reader_model: str | None = Field(default=None, max_length=200)
    pinned_models: list[str] = Field(default=[], max_length=32)

    def args(self) -> dict[str, Any]:
        """Fields of ClusterArgs."""
        args: dict[str, Any] = {}
        if self.text_reader_model is not None:
            args["text_reader_model"] = self.text_reader_model
        if self.pinned_models:
            args["models"] = {model_id: {"pinned": True} for model_id in self.pinned_models}
        return args


class Named(BaseModel):
    """A request about one endpoint. Unknown keys are ignored: newer clients send more."""

    api_key: str | None = None
    deployment_name: str = Field(max_length=63)


class AddBody(Named):
    """`/add`."""

    machine_type: str = Field(max_length=64)
    creator_email: str = Field(default="", max_length=320)
    duration: float = Field(default=3.0, gt=0, le=24 * 366)
    delete_on_expiration: bool = True
    inference_version: str = Field(default="latest", max_length=64)
    min_replicas: int = Field(default=1, ge=1, le=MAX_REPLICAS)
    max_replicas: int | None = Field(default=None, ge=1, le=MAX_REPLICAS)
    config: EndpointConfig = EndpointConfig()
    custom_domains: list[str] = Field(default=[], max_length=16)

    @field_validator("deployment_name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not _NAME.match(name):
            raise ValueError(
                f"{name!r} is no name for an endpoint; take 5 to 15 of a-z, 0-9 and -, beginning with a letter and not "
                "ending with -"
            )
        return name

    @field_validator("custom_domains")
    @classmethod
    def _check_domains(cls, domains: list[str]) -> list[str]:
        lowered = [domain.lower().rstrip(".") for domain in domains]
        for domain in lowered:
            if not _DOMAIN.match(domain):
                raise ValueError(f"{domain[:80]!r} is no host name; give one such as plates.example.com")
        return lowered

    @model_validator(mode="after")
    def _check_growth(self) -> Self:
        if self.max_replicas is None:
            self.max_replicas = self.min_replicas
        _check_growth(self.min_replicas, self.max_replicas)
        return self


class ResizeBody(Named):
    """`/resize`."""

    min_replicas: int = Field(ge=1, le=MAX_REPLICAS)
    max_replicas: int = Field(ge=1, le=MAX_REPLICAS)

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_growth(self.min_replicas, self.max_replicas)
        return self


class UpdateBody(Named):
    """`/update`."""

    config: EndpointConfig


def _check_growth(fewest: int, most: int) -> None:
    if most < fewest:
        raise ValueError(f"max_replicas is {most}, fewer than min_replicas, which is {fewest}")


def endpoint_body(endpoint: Endpoint, domain: str) -> dict[str, Any]:
    """An endpoint, as `/get` shows it."""
    return {
        "deployment_id": endpoint.endpoint_id,
        "deployment_name": endpoint.name,
        "machine_type": endpoint.machine_type,
        "creator_email": endpoint.creator_email,
        "creator_id": endpoint.creator_email,
        "subdomain": endpoint.subdomain,
        "domain": domain,
        "duration": endpoint.duration_h,
        "delete_on_expiration": endpoint.delete_on_expiration,
        "inference_version": endpoint.inference_version,
        "min_replicas": endpoint.min_replicas,
        "max_replicas": endpoint.max_replicas,
        "num_replicas": endpoint.num_replicas,
        "status": shown_status(endpoint),
        "status_reason": endpoint.detail,
        "rollout": shown_rollout(endpoint),
        "workspace_id": endpoint.workspace,
        "workspace_url": endpoint.workspace,
        "custom_domains": list(endpoint.custom_domains),
        "created_at": iso(endpoint.created_unix_s),
        "expires_at": None if endpoint.expires_unix_s is None else iso(endpoint.expires_unix_s),
    }


def shown_status(endpoint: Endpoint) -> str:
    """What is so, or, as soon as its owner wants something else, what is on its way."""
    rest = (ActualState.PAUSED, ActualState.PAUSING, ActualState.EXPIRING, ActualState.EXPIRED)
    if endpoint.desired is DesiredState.DELETED and endpoint.actual is not ActualState.DELETED:
        return ActualState.DELETING.value
    if endpoint.desired is DesiredState.PAUSED and endpoint.actual not in rest:
        return ActualState.PAUSING.value
    if endpoint.desired is DesiredState.RUNNING and endpoint.actual in rest:
        return ActualState.PENDING.value
    return endpoint.actual.value


def shown_rollout(endpoint: Endpoint) -> str:
    """How far the last change of what it serves is: `under way`, `done` or `taken back`."""
    if endpoint.refused:
        return "taken back"
    return "done" if endpoint.args == endpoint.good_args else "under way"


def machine_type_body(kind: MachineType) -> dict[str, Any]:
    """A machine type, as `/machine_types` shows it."""
    return {
        "name": kind.name,
        "description": kind.description,
        "tier": kind.tier,
        "num_cpus": kind.num_cpus,
        "num_gpus": kind.num_gpus,
        "accelerator_type": kind.accelerator_type,
        "memory_bytes": kind.memory_bytes,
    }


def iso(unix_s: float) -> str:
    """A time as text, in UTC."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat()
