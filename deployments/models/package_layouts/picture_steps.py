"""The parts of picture preparation that both layouts spell alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from deployments.models.errors import ModelPackageError
from deployments.models.image_preprocessing import Contrast, StaticCrop

Percent = Annotated[float, Field(ge=0, le=100)]
Side = Annotated[int, Field(ge=1, le=16384)]


class Switch(BaseModel):
    """A step that can be off."""

    enabled: bool = False


class StaticCropConfig(Switch):
    """Window in percent."""

    x_min: Percent = 0
    y_min: Percent = 0
    x_max: Percent = 100
    y_max: Percent = 100


class ContrastConfig(Switch):
    """Kind of contrast enhancement."""

    type: Contrast | None = None


def is_on(switch: Switch | None) -> bool:
    """Whether a step is done; it is not when the package does not mention it."""
    return switch is not None and switch.enabled


def static_crop_of(config: StaticCropConfig | None, path: Path) -> StaticCrop | None:
    """The window, when the step is on.

    Raises:
        ModelPackageError: the window has no area.
    """
    if config is None or not config.enabled:
        return None
    if config.x_min >= config.x_max or config.y_min >= config.y_max:
        raise ModelPackageError(
            f"{path.name}: static-crop of x {config.x_min} to {config.x_max} and y {config.y_min} to {config.y_max} "
            "percent has no area; the maxima must be larger than the minima",
            str(path),
        )
    return StaticCrop(x_min=config.x_min, y_min=config.y_min, x_max=config.x_max, y_max=config.y_max)


def contrast_of(config: ContrastConfig | None, path: Path) -> Contrast | None:
    """The kind of enhancement, when the step is on.

    Raises:
        ModelPackageError: the step is on without a kind.
    """
    if config is None or not config.enabled:
        return None
    if config.type is None:
        raise ModelPackageError(
            f"{path.name}: contrast is enabled without a type; it must be one of {', '.join(Contrast)}", str(path)
        )
    return config.type
