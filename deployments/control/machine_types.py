"""What an endpoint may run on: named shares of machines, the built-in ones and those of an operator's file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from deployments.control.errors import ControlError, UnknownMachineTypeError
from deployments.settings import ClusterArgs

GIBIBYTE = 1024**3


class MachineType(BaseModel):
    """What one replica of an endpoint takes, all its processes together.

    CPUs and memory are book-keeping of who may start where, not limits: small CPU shares let several endpoints start on
    two cores. What is asked for is split over the replica's processes, GPUs over those that run models.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="How `machine_type` names it.")
    description: str = Field(default="", description="One line for people.")
    tier: Literal["dev", "prod"] = Field(
        default="prod", description="`dev` endpoints expire and make room for others; `prod` ones stay until deleted."
    )
    num_cpus: float = Field(default=1.0, gt=0, description="CPUs of one replica.")
    num_gpus: float = Field(default=0.0, ge=0, description="GPUs of one replica, or a fraction of one.")
    accelerator_type: str | None = Field(default=None, description="Card that is needed, such as `L4`.")
    memory_bytes: int = Field(default=0, ge=0, description="Memory of one replica; 0 asks for none in particular.")
    labels: Mapping[str, str] = Field(default={}, description="Labels that the machine must have.")
    transforms_in_router: bool = Field(
        default=False, description="Whether crops are made in the WorkflowRouter: one process fewer."
    )
    args: Mapping[str, Any] = Field(default={}, description="Fields of ClusterArgs for its endpoints.")

    @field_validator("args")
    @classmethod
    def _check_args(cls, args: Mapping[str, Any]) -> Mapping[str, Any]:
        ClusterArgs.model_validate(args)
        return args

    @model_validator(mode="after")
    def _check_gpus(self) -> Self:
        if self.accelerator_type is not None and not self.num_gpus:
            raise ValueError(f"accelerator_type {self.accelerator_type} needs num_gpus above 0")
        share = self.gpus_per_model_process
        if share > 1 and share != int(share):
            raise ValueError(f"num_gpus is {self.num_gpus:g}: two processes share them, each a fraction or whole cards")
        return self

    @property
    def gpus_per_model_process(self) -> float:
        """GPUs of the object detector, and as many of the text reader."""
        return self.num_gpus / 2

    def resources(self) -> dict[str, float]:
        """What one replica takes, under Ray's names."""
        wanted = {"CPU": self.num_cpus, "GPU": self.num_gpus, "memory": float(self.memory_bytes)}
        return {name: amount for name, amount in wanted.items() if amount}

    @property
    def expires(self) -> bool:
        """Whether its endpoints have a duration."""
        return self.tier == "dev"


BUILT_IN = (
    MachineType(
        name="dev-cpu",
        description="for experiments: a small share of a CPU, expires",
        tier="dev",
        num_cpus=0.15,
        transforms_in_router=True,
    ),
    MachineType(
        name="dev-gpu",
        description="for experiments: a quarter of a GPU, expires",
        tier="dev",
        num_cpus=0.6,
        num_gpus=0.25,
        transforms_in_router=True,
    ),
    MachineType(name="prod-cpu", description="one CPU, stays until deleted", num_cpus=1.0),
    MachineType(name="prod-gpu", description="one GPU and four CPUs, stays until deleted", num_cpus=4.0, num_gpus=1.0),
)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    machine_types: list[MachineType]


class MachineTypes:
    """The machine types of a cluster, by name."""

    def __init__(self, own: Iterable[MachineType] = ()) -> None:
        """The built-in ones, and an operator's own; one of the same name replaces a built-in one."""
        self._by_name = {kind.name: kind for kind in (*BUILT_IN, *own)}

    def __iter__(self) -> Iterator[MachineType]:
        return iter(self._by_name.values())

    def named(self, name: str) -> MachineType:
        """The one of a name.

        Raises:
            UnknownMachineTypeError: there is none; names those there are.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownMachineTypeError(
                f"no machine type {name!r}; there are: {', '.join(sorted(self._by_name))}"
            ) from None


def read_machine_types(path: Path | None) -> MachineTypes:
    """The machine types of a cluster.

    Args:
        path: YAML with a list `machine_types`, fields as above; None for the built-in ones alone.

    Raises:
        ControlError: the file cannot be read, or is wrong; says where.
    """
    if path is None:
        return MachineTypes()
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ControlError(f"cannot read the machine types of {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ControlError(f"{path} is no YAML: {error}") from error
    return checked_machine_types(content, str(path))


def checked_machine_types(content: Any, source: str) -> MachineTypes:
    """The machine types of a document with a list `machine_types`.

    Raises:
        ControlError: it is wrong; says where, and that it came from `source`.
    """
    try:
        return MachineTypes(_File.model_validate(content).machine_types)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise ControlError(f"the machine types of {source} are wrong:\n" + "\n".join(lines)) from error
