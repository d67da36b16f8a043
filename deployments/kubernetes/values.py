"""The one file that says how an endpoint runs on Kubernetes: `values.yaml`; every key is checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from deployments.kubernetes.errors import ValuesError
from deployments.settings import ClusterArgs

# KubeRay appends to the name of a RayService, and Kubernetes' names end at 63 characters.
# Source: KubeRay 1.7, ray-operator/controllers/ray/utils/constant.go and validation.go.
MAX_NAME = 47
Name = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=MAX_NAME)]
Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|Ti)?$")]

ACCELERATORS: Mapping[str, str] = {
    "T4": "Tesla-T4",
    "L4": "NVIDIA-L4",
    "A100": "NVIDIA-A100-SXM4-80GB",
    "H100": "NVIDIA-H100-80GB-HBM3",
    "H200": "NVIDIA-H200",
}
"""Ray's name of a card -> the label `nvidia.com/gpu.product` that NVIDIA's feature discovery gives its machines."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Image(_Part):
    """Where the image comes from; `k8s/Dockerfile` makes it."""

    repository: str = Field(default="registry.example.com/sightline", min_length=1, description="Without a tag.")
    tag: str = Field(default="0.1.0-cpu", min_length=1, description="A fixed one: `latest` is refused.")
    pull_secrets: tuple[str, ...] = Field(default=(), description="Names of Secrets with the registry's password.")

    @property
    def reference(self) -> str:
        """What a pod names."""
        return f"{self.repository}:{self.tag}"

    @model_validator(mode="after")
    def _check_tag(self) -> Self:
        if self.tag == "latest":
            raise ValueError("tag is `latest`: pods of one cluster could differ; give the version")
        return self


class Head(_Part):
    """The pod that keeps the cluster together; no replica runs there."""

    cpu: Quantity = Field(default="2", description="CPUs.")
    memory: Quantity = Field(default="4Gi", description="Memory.")
    replicas_too: bool = Field(default=False, description="Whether replicas run there, for clusters of one pod.")


class WorkerGroup(_Part):
    """Pods of one shape, started and ended as replicas need them."""

    name: Name = Field(description="Among the groups.")
    cpu: int = Field(gt=0, description="CPUs of a pod: what Ray counts, and the limit.")
    memory: Quantity = Field(description="Memory of a pod.")
    min_pods: int = Field(default=1, ge=0, description="Pods that are always there.")
    max_pods: int = Field(default=4, gt=0, description="Pods at most.")
    accelerator: Literal["T4", "L4", "A100", "H100", "H200"] | None = Field(default=None, description="Its card.")
    gpus: int = Field(default=0, ge=0, description="Cards of a pod.")
    node_selector: dict[str, str] = Field(default={}, description="Labels of machines; those of the card when absent.")
    tolerations: list[dict[str, Any]] = Field(default=[], description="Beside the one for `nvidia.com/gpu`.")
    idle_timeout_s: int = Field(default=300, gt=0, description="Time without replicas after which a pod ends.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.accelerator is not None and not self.gpus:
            raise ValueError(f"worker group {self.name}: `accelerator` and `gpus` go together")
        if self.gpus and self.accelerator is None and not self.node_selector:
            raise ValueError(
                f"worker group {self.name}: `gpus` needs `accelerator`, or a `node_selector` that says which"
            )
        if self.max_pods < self.min_pods:
            raise ValueError(
                f"worker group {self.name}: max_pods {self.max_pods} is less than min_pods {self.min_pods}"
            )
        return self


class Replicas(_Part):
    """What one Serve deployment has here; what is absent is as in serve_config.yaml."""

    min_replicas: int | None = Field(default=None, ge=0, description="Replicas at least.")
    max_replicas: int | None = Field(default=None, gt=0, description="Replicas at most.")
    num_cpus: float | None = Field(default=None, ge=0, description="CPUs of a replica.")
    num_gpus: float | None = Field(default=None, ge=0, description="GPUs of a replica.")
    accelerator_type: str | None = Field(default=None, description="Card it is pinned to, such as `L4`.")


class Redis(_Part):
    """GCS fault tolerance by Redis."""

    backend: Literal["redis"]
    address: str | None = Field(default=None, description="host:port of one that exists; one is deployed when absent.")
    secret: Name = Field(default="sightline-redis", description="Secret with the `password`.")
    storage: Quantity = Field(default="4Gi", description="Volume of the one that is deployed.")


class RocksDb(_Part):
    """GCS fault tolerance by files on a volume of the head; alpha in KubeRay 1.7."""

    backend: Literal["rocksdb"]
    storage: Quantity = Field(default="4Gi", description="Volume of the head.")
    storage_class: str | None = Field(default=None, description="Its StorageClass; the cluster's default when absent.")


class NoGcsStorage(_Part):
    """A head that dies takes the cluster with it, until KubeRay has made another."""

    backend: Literal["none"]


class Issuer(_Part):
    """Who signs the wildcard certificate; wildcards need an issuer that answers DNS-01."""

    name: str = Field(default="letsencrypt-dns", description="Of cert-manager's object.")
    kind: Literal["ClusterIssuer", "Issuer"] = Field(default="ClusterIssuer", description="Its kind.")


class Gateway(_Part):
    """A Gateway with a wildcard listener, and an HTTPRoute for the endpoint."""

    kind: Literal["gateway"]
    class_name: str = Field(default="istio", description="GatewayClass.")
    issuer: Issuer = Issuer()
    allowed_namespace: str = Field(default="istio-system", description="Namespace of the Gateway's own pods.")


class Ingress(_Part):
    """An Ingress with the wildcard certificate, for clusters without Gateway API."""

    kind: Literal["ingress"]
    class_name: str = Field(default="haproxy", description="IngressClass.")
    issuer: Issuer = Issuer()
    allowed_namespace: str = Field(default="ingress-controller", description="Namespace of the controller's pods.")
    annotations: dict[str, str] = Field(default={}, description="For the controller: body size, timeouts.")


class NoRoute(_Part):
    """Nothing from outside: port-forward, or a route of one's own."""

    kind: Literal["none"]


class NewCluster(_Part):
    """A second cluster of full size, then all requests at once to it."""

    strategy: Literal["NewCluster"]


class IncrementalUpgrade(_Part):
    """A second cluster that grows while the first shrinks, requests following by weight; needs Gateway API."""

    strategy: Literal["NewClusterWithIncrementalUpgrade"]
    gateway_class: str = Field(default="istio", description="GatewayClass of the Gateway that KubeRay makes.")
    service: str = Field(
        default="{name}-gateway-istio",
        description="Service that its controller makes for it; `{name}` is the endpoint.",
    )
    step_percent: int = Field(default=25, gt=0, le=100, description="Share of requests that moves at once.")
    interval_s: int = Field(default=30, gt=0, description="Time between two moves.")
    surge_percent: int = Field(default=50, gt=0, le=100, description="Capacity added before some is taken away.")


class Monitoring(_Part):
    """What Prometheus and Grafana get; needs the Prometheus operator's kinds."""

    enabled: bool = Field(default=True, description="PodMonitor, PrometheusRule and dashboards.")
    namespace: str = Field(default="monitoring", description="Of Prometheus' pods.")


class Control(_Part):
    """The control plane: endpoints that are made, paused and deleted by its HTTP, beside the one of these values."""

    enabled: bool = Field(default=False, description="Whether it runs.")
    database_secret: Name | None = Field(
        default=None, description="Secret with the `url` of a PostgreSQL; SQLite on a volume when absent."
    )
    storage: Quantity = Field(default="1Gi", description="Volume of SQLite.")
    machine_types: list[dict[str, Any]] = Field(default=[], description="An operator's own, beside the built-in ones.")
    pod_memory: Quantity = Field(default="4Gi", description="Memory of a pod of an endpoint whose type asks for none.")
    unschedulable_s: int = Field(
        default=180, gt=0, description="Time for a machine to come that can hold a pod, before its endpoint fails."
    )


class Values(_Part):
    """One endpoint on Kubernetes, and what surrounds it."""

    name: Name = Field(default="plates", description="Endpoint, RayService and subdomain.")
    namespace: Name = Field(default="sightline", description="Where everything is put.")
    domain: str = Field(
        default="example.com",
        pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]{2,}$",
        description="Of the subdomains.",
    )
    operator_namespace: str = Field(default="kuberay-operator", description="Where KubeRay's operator runs.")
    image: Image = Image()
    args: dict[str, Any] = Field(default={}, description="Fields of ClusterArgs, over those of serve_config.yaml.")
    deployments: dict[str, Replicas] = Field(default={}, description="Serve deployments, by name.")
    head: Head = Head()
    worker_groups: tuple[WorkerGroup, ...] = Field(
        default=(), description="At least one, unless replicas run in the head."
    )
    startup_s: int = Field(default=300, gt=0, description="Longest time from a new pod to a ready replica.")
    drain_s: int = Field(default=60, ge=30, description="Time for requests under way when a pod ends.")
    egress_https: bool = Field(default=True, description="Whether pods may fetch images and models over HTTPS.")
    gcs: Annotated[Redis | RocksDb | NoGcsStorage, Field(discriminator="backend")] = Redis(backend="redis")
    route: Annotated[Gateway | Ingress | NoRoute, Field(discriminator="kind")] = Gateway(kind="gateway")
    upgrade: Annotated[NewCluster | IncrementalUpgrade, Field(discriminator="strategy")] = NewCluster(
        strategy="NewCluster"
    )
    monitoring: Monitoring = Monitoring()
    control: Control = Control()

    @property
    def host(self) -> str:
        """Where the endpoint answers."""
        return f"{self.name}.{self.domain}"

    @property
    def control_host(self) -> str:
        """Where the control plane answers: shorter than the name of any endpoint."""
        return f"api.{self.domain}"

    @model_validator(mode="after")
    def _check(self) -> Self:
        ClusterArgs.model_validate(self.args)
        names = [group.name for group in self.worker_groups]
        if len(set(names)) < len(names):
            raise ValueError(f"worker_groups: a name stands there twice: {', '.join(names)}")
        if not names and not self.head.replicas_too:
            raise ValueError("worker_groups is empty and head.replicas_too is false: nothing could run a replica")
        if isinstance(self.upgrade, IncrementalUpgrade) and not isinstance(self.route, Gateway):
            raise ValueError(  # noqa: TRY004 - of the values, not of a type
                "upgrade NewClusterWithIncrementalUpgrade moves requests by Gateway API: route.kind must be gateway"
            )
        return self


def read_values(path: Path) -> Values:
    """The values of a file.

    Raises:
        ValuesError: it cannot be read, is no YAML, or says something wrong; one problem a line.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ValuesError(f"cannot read {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ValuesError(f"{path} is no YAML: {error}") from error
    try:
        return Values.model_validate(content if content is not None else {})
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise ValuesError(f"{path} is wrong:\n" + "\n".join(lines)) from error
