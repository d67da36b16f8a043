"""What a person may set, one model for each part; every key is checked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MEBIBYTE = 1024 * 1024


DEFAULT_TEXT_READER = "doctr/default"


class AdmissionLimits(BaseModel):
    """What one WorkflowRouter lets in at a time; see `deployments/dataplane/admission.py`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_slowdown: float = Field(
        default=6.0,
        gt=0,
        description="How many times as long as alone a request may take when some are refused; in bursts half more.",
    )
    min_in_flight: int = Field(default=6, gt=0, description="Requests that may always be in, whatever their speed.")
    prompt_s: float = Field(
        default=0.5, gt=0, description="An answer within this time is soon enough, however much quicker one alone is."
    )
    free_in_flight: int = Field(
        default=16, gt=0, description="Requests that may be in, whatever their speed, when none was refused of late."
    )
    first_in_flight: int = Field(default=120, gt=0, description="Requests that may be in before their speed is known.")
    max_in_flight: int = Field(
        default=240, gt=0, description="Requests that may be in at most; fewer than Serve's max_ongoing_requests."
    )
    max_in_flight_bytes: int = Field(
        default=256 * MEBIBYTE, gt=0, description="Memory that requests under way may take with what they carry."
    )
    bytes_per_body_byte: float = Field(
        default=4.0,
        ge=1,
        description="Memory for each byte of a body: its text, what that encodes, this on its way, and in the answer.",
    )
    max_in_flight_per_client: int | None = Field(
        default=None, gt=0, description="Requests that one API key may have in; no limit when absent."
    )
    min_retry_after_s: float = Field(default=1.0, gt=0, description="Least that a refused client is asked to wait.")
    max_retry_after_s: float = Field(default=30.0, gt=0, description="Most that a refused client is asked to wait.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min_in_flight > self.max_in_flight:
            raise ValueError(f"min_in_flight is {self.min_in_flight}, more than max_in_flight, {self.max_in_flight}")
        if self.min_retry_after_s > self.max_retry_after_s:
            raise ValueError("min_retry_after_s is more than max_retry_after_s")
        return self

    def memory_bytes(self, body_bytes: int) -> int:
        """What a request with a body of this size is counted for."""
        return int(body_bytes * self.bytes_per_body_byte)


class IngressSettings(BaseModel):
    """What the HTTP door accepts, and where it finds saved workflows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_body_bytes: int = Field(default=20 * MEBIBYTE, gt=0, description="Largest request body.")
    max_pixels: int = Field(default=64_000_000, gt=0, description="Most pixels of one image.")
    max_images: int = Field(default=64, gt=0, description="Most images in one request, nested ones counted.")
    max_crops_per_step: int = Field(default=512, gt=0, description="Most elements a step may make for one request.")
    max_steps: int = Field(default=256, gt=0, description="Most steps in one definition.")
    default_timeout_s: float = Field(default=60.0, gt=0, description="Time for a request that names none.")
    max_timeout_s: float = Field(default=600.0, gt=0, description="Longest time a request may ask for.")
    workflows_dir: Path | None = Field(default=None, description="Folder of saved definitions; none when absent.")
    url_images: bool = Field(default=True, description="Whether images may be named by an https URL.")
    url_allowed_hosts: tuple[str, ...] | None = Field(
        default=None, description="Hosts images may come from, `*.` for subdomains; all public ones when absent."
    )
    url_denied_hosts: tuple[str, ...] = Field(default=(), description="Hosts images may not come from.")
    url_timeout_s: float = Field(default=10.0, gt=0, description="Time to fetch one image.")
    log_requests: bool = Field(default=True, description="Whether each request leaves one line at INFO.")
    require_keys: bool = Field(
        default=False, description="Whether requests need an API key; the environment says where keys are kept."
    )
    grpc_from_this_machine: bool = Field(
        default=False, description="Whether gRPC is answered to this machine alone; Ray listens for it everywhere."
    )
    keys_workspace: str | None = Field(
        default=None, description="Workspace whose keys are good here; those of every workspace when absent."
    )
    admission: AdmissionLimits = AdmissionLimits()

    @model_validator(mode="after")
    def _check_budget(self) -> Self:
        needed_bytes = self.admission.memory_bytes(self.max_body_bytes)
        if needed_bytes > self.admission.max_in_flight_bytes:
            raise ValueError(
                f"max_body_bytes is {self.max_body_bytes}: a body of this size takes {needed_bytes} bytes of memory "
                f"and would never fit into admission.max_in_flight_bytes, {self.admission.max_in_flight_bytes}"
            )
        return self


Precision = Literal["fp32", "fp16", "int8"]


class EngineSettings(BaseModel):
    """How an engine uses the machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto",
        description="Where to run; `auto` takes CUDA when present, `cuda` refuses to load a model without it.",
    )
    precision: Precision = Field(
        default="fp32",
        description="Arithmetic of the network: `fp32` is weights.onnx as it is; `fp16` and `int8` take "
        "weights.fp16.onnx and weights.int8.onnx where the package has them.",
    )
    device_id: int = Field(default=0, ge=0, description="Which of the visible CUDA devices.")
    intra_op_threads: int = Field(default=1, ge=1, description="Threads that share one operation on the CPU.")
    idle_threads: int | None = Field(
        default=None,
        ge=1,
        description="Threads that share one while cores have nothing else to do, for runs that gain by it; the weights "
        "are then in memory twice. With `1` none but those above. When absent one for each core, 4 at most; none where "
        "only some of the machine's cores may be used.",
    )
    cuda_memory_limit_bytes: int | None = Field(
        default=None, gt=0, description="Most device memory for one model; no limit when absent."
    )
    io_binding: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether tensors travel through buffers on the device that are used again; `auto` on CUDA alone.",
    )
    tensorrt: bool = Field(
        default=False, description="Whether TensorRT runs what it can, with engines built once and kept."
    )
    tensorrt_cache_dir: Path = Field(
        default=Path("~/.cache/sightline/tensorrt"), description="Folder for the engines of TensorRT."
    )
    tensorrt_max_batch: int = Field(default=16, gt=0, description="Largest batch that its engines are built for.")


class ModelSettings(BaseModel):
    """How one model is served, where that differs from all others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pinned: bool = Field(default=False, description="Whether it is loaded before its replicas are ready, and kept.")
    max_batch_items: int | None = Field(default=None, gt=0, description="Images of one call; as for all when absent.")
    engine: EngineSettings | None = Field(
        default=None, description="How its engine uses the machine; what is absent is as for all."
    )
    reduced_decoding: bool | None = Field(
        default=None,
        description="Whether a JPEG at least twice as large as the network's input is decoded at a half, a quarter or "
        "an eighth of its size: cheaper, and scores change a little. As the package says when absent.",
    )
    replicas: int | None = Field(
        default=None,
        ge=0,
        description="Replicas of its own, in a deployment of its own; shared ones when absent. With 0 one "
        "starts when a request comes.",
    )
    idle_s: float = Field(
        default=300.0, gt=0, description="With 0 replicas: time without work after which the last goes."
    )
    max_replicas: int | None = Field(
        default=None, gt=0, description="Replicas it may grow to under load; as many as `replicas` when absent."
    )
    num_cpus: float | None = Field(default=None, ge=0, description="CPUs of each of its own replicas.")
    num_gpus: float | None = Field(default=None, ge=0, description="GPUs of each of its own replicas.")
    accelerator_type: str | None = Field(default=None, description="Card that its own replicas need, such as L4.")

    @property
    def has_own_deployment(self) -> bool:
        """Whether the model gets replicas that serve nothing else."""
        alone = (self.replicas, self.max_replicas, self.num_cpus, self.num_gpus, self.accelerator_type)
        return any(value is not None for value in alone)

    @model_validator(mode="after")
    def _check_growth(self) -> Self:
        if self.max_replicas is not None and self.max_replicas < (self.replicas or 1):
            raise ValueError(f"max_replicas is {self.max_replicas}, fewer than the {self.replicas or 1} to start with")
        if self.pinned and self.replicas == 0:
            raise ValueError("pinned and replicas: 0 exclude each other; a pinned model is always there")
        return self


def _as_entries(value: object) -> object:
    """One folder or URL is as good as a list of one."""
    return (str(value),) if isinstance(value, str | Path) else value


class ClusterArgs(BaseModel):
    """What an application serves: `args` of an application in `serve_config.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models_dir: Annotated[tuple[str, ...], BeforeValidator(_as_entries)] = Field(
        default=(),
        description="Folders of model packages beside the shipped ones, or URLs of such folders, of packages or of zip "
        "archives of one; a package replaces an earlier one of the same id.",
    )
    added_models_dir: Path | None = Field(
        default=None, description="Folder of the packages that `sightline models add` put there; none when absent."
    )
    store_dir: Path | None = Field(
        default=None, description="Folder that keeps packages from URLs; one of the user's own when absent."
    )
    models: dict[str, ModelSettings] = Field(default={}, description="Settings of single models, by id.")
    log_dir: Path | None = Field(default=None, description="Folder for one log file a replica; stderr when absent.")
    grow_on_idle_cores: bool = Field(
        default=False,
        description="Whether replicas are added only while this machine has idle processor cores. For a cluster of one "
        "machine; `sightline serve` sets it.",
    )
    transforms_in_router: bool = Field(
        default=False, description="Whether crops and other pixel work run inside the WorkflowRouter, without a hop."
    )
    emulated_accelerators: bool = Field(
        default=False,
        description="Whether packages are served that only pretend to compute, for measurements; refused otherwise.",
    )
    text_reader_model: str = Field(
        default=DEFAULT_TEXT_READER,
        description="Text reader of workflows whose blocks name none, such as `pp_ocr/default`.",
    )
    ingress: IngressSettings = IngressSettings()
    engine: EngineSettings = EngineSettings()


class ReplicaTuning(BaseModel):
    """How an ObjectDetector or TextReader replica works: its `user_config`, changed while it runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_loaded_models: int = Field(default=8, gt=0, description="Models kept loaded, the shipped ones included.")


class CoalescingLimits(BaseModel):
    """How much work for one deployment may travel and wait."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_batch_items: int = Field(default=32, gt=0, description="Items of one call.")
    max_batch_bytes: int = Field(
        default=16 * MEBIBYTE, gt=0, description="Bytes of one call; a larger item travels alone."
    )
    max_batch_pixels: int = Field(  # eight photographs of 12 megapixels share a call; as pixels they take 300 MB
        default=100_000_000,
        gt=0,
        description="Pixels of the images of one call once they are decoded; a larger item travels alone.",
    )
    slots_per_replica: int = Field(
        default=2, gt=0, description="Calls in flight for each replica: one computes while the next is on its way."
    )
    loads_per_replica: int = Field(
        default=2, gt=0, description="Calls that wait for a load, for each replica; they take no slots."
    )
    max_queued_items: int = Field(default=4096, gt=0, description="Items that may wait; more are refused.")
    replica_memory_s: float = Field(default=30.0, gt=0, description="How long a replica counts after its last answer.")


class RouterTuning(BaseModel):
    """How a WorkflowRouter shares calls: its `user_config`, changed while it runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    object_detector: CoalescingLimits = CoalescingLimits(max_batch_items=8)
    text_reader: CoalescingLimits = CoalescingLimits(max_batch_items=32)
    transforms: CoalescingLimits = CoalescingLimits(max_batch_items=16)
    tensors: CoalescingLimits = CoalescingLimits(max_batch_items=8, max_batch_bytes=64 * MEBIBYTE)
    direct_calls: bool = Field(
        default=True, description="Call replicas on this machine over a socket; over Serve's handles otherwise."
    )


def data_directory() -> Path:
    """Where this user's added models are kept, by the XDG Base Directory Specification."""
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "sightline"


DATABASE_VARIABLE = "SIGHTLINE_DATABASE_URL"
"""Names the database to processes of a cluster: its URL may hold a password, which is nothing for arguments."""


def database_url_here() -> str | None:
    """The database of this process; None where it was told of none."""
    return os.environ.get(DATABASE_VARIABLE) or None


def redis_password() -> str:
    """Of the Redis that the GCS keeps its state in; empty for one without. The name is KubeRay's."""
    return os.environ.get("REDIS_PASSWORD", "")


def process_environment() -> dict[str, str]:
    """The environment of this process, for a process it starts."""
    return dict(os.environ)
