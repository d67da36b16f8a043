"""The part of `model_config.json` that stands for a network on an accelerator that is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from deployments.models.errors import ModelPackageError
from deployments.models.package_layouts.contents import EmulatedModel
from deployments.models.service_times import ServiceTimes

MOST_DEVICES = 8
"""A replica has so many calls under way at most: `MOST_CALLS` in dataplane/computing.py."""
MOST_MS = 600_000.0
EXAMPLE = (
    '"emulated": {"service_ms": {"fixed": 8, "per_item": 1.5}, "outputs": {"output0": [[8, 8, 40, 24, 0.9, 0]]}}, '
    "or times by batch size: {1: 9.5, 8: 20}"
)

Milliseconds = Annotated[float, Field(gt=0, le=MOST_MS)]


class Line(BaseModel):
    """`fixed + per_item * n` milliseconds for a batch of n."""

    model_config = ConfigDict(extra="forbid")

    fixed: float = Field(ge=0, le=MOST_MS)
    per_item: float = Field(ge=0, le=MOST_MS)


class EmulatedConfig(BaseModel):
    """`emulated` in `model_config.json`; unknown keys are refused, no other tool writes it."""

    model_config = ConfigDict(extra="forbid")

    service_ms: Line | Annotated[dict[Annotated[int, Field(ge=1, le=4096)], Milliseconds], Field(min_length=1)]
    devices: int = Field(default=1, ge=1, le=MOST_DEVICES)
    outputs: dict[str, list[Any]] = Field(min_length=1)


def emulated_model(config: EmulatedConfig | None, path: Path) -> EmulatedModel:
    """What is emulated.

    Args:
        config: what the package says.
        path: the file that says it.

    Raises:
        ModelPackageError: says what is wrong and what would be right.
    """
    if config is None:
        raise ModelPackageError(
            f"{path.name}: backend_type is 'emulated', and `emulated` is missing; write {EXAMPLE}", str(path)
        )
    try:
        times = (
            ServiceTimes.line(config.service_ms.fixed, config.service_ms.per_item)
            if isinstance(config.service_ms, Line)
            else ServiceTimes(ms_by_batch=config.service_ms)
        )
    except ValueError as error:
        raise ModelPackageError(f"{path.name}: emulated.service_ms: {error}", str(path)) from error
    return EmulatedModel(
        service_times=times,
        devices=config.devices,
        outputs={name: _tensor(name, values, path) for name, values in config.outputs.items()},
    )


def _tensor(name: str, values: list[Any], path: Path) -> NDArray[np.float32]:
    try:
        tensor = np.array(values, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise ModelPackageError(
            f"{path.name}: emulated.outputs.{name} must be numbers in lists of equal length, as one picture's answer "
            "is shaped",
            str(path),
        ) from error
    tensor.flags.writeable = False
    return tensor
