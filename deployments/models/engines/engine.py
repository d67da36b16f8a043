"""What every engine offers: named tensors in, named tensors out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class EngineSettings(BaseModel):
    """How an engine uses the machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where to run; `auto` takes CUDA when present."
    )
    device_id: int = Field(default=0, ge=0, description="Which of the visible CUDA devices.")
    intra_op_threads: int = Field(default=1, ge=1, description="Threads that share one operation on the CPU.")
    cuda_memory_limit_bytes: int | None = Field(
        default=None, gt=0, description="Most device memory for one model; no limit when absent."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """One input or output of a network.

    Attributes:
        name: as the graph calls it.
        shape: length of each axis; None where any length will do.
        dtype: element type.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]


class Engine(Protocol):
    """A loaded network."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What `run` must be fed."""

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What `run` gives back."""

    @property
    def device(self) -> str:
        """Where it runs: `cpu` or `cuda`."""

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Every output by its name. Safe to call from several threads."""
