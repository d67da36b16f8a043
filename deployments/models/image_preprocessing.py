"""What a package says about the pictures its network was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

DEFAULT_SIDE_PX = 640
"""Side that a network was trained at whose package does not say."""

LETTERBOX_GREY = 127
"""What YOLO networks were trained to see around a letterboxed picture."""


class ResizeMode(StrEnum):
    """How a picture of any size comes to the network's size. Values are the words of the package."""

    STRETCH = "stretch"
    LETTERBOX = "letterbox"
    LETTERBOX_REFLECT_EDGES = "letterbox-reflect-edges"
    CENTER_CROP = "center-crop"
    FIT_LONGER_EDGE = "fit-longer-edge"


class Contrast(StrEnum):
    """How contrast is raised. Values are the words of the package."""

    ADAPTIVE_EQUALIZATION = "Adaptive Equalization"
    CONTRAST_STRETCHING = "Contrast Stretching"
    HISTOGRAM_EQUALIZATION = "Histogram Equalization"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticCrop:
    """A window that every picture is cut to first, in percent of its sides.

    Attributes:
        x_min: left side, 0 to 100; the others accordingly.
        y_min: top.
        x_max: right side.
        y_max: bottom.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalization:
    """Mean and standard deviation of each channel, in the network's channel order.

    Attributes:
        mean: subtracted after scaling.
        std: divisor after that.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET_STATISTICS = Normalization(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""Of red, green and blue, on values from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePreprocessing:
    """Steps from BGR uint8 pixels to the network's input, in the order they are done.

    Attributes:
        static_crop: window to cut first.
        grayscale: whether the three channels become equal.
        contrast: how contrast is raised.
        resize_mode: how the picture comes to `input_hw`.
        input_hw: height and width the network was trained at, pixels; None when the package does not say.
        padding_value: grey value around a letterboxed picture, 0 to 255.
        color_mode: channel order of the network.
        scaling_factor: divisor of the pixel values; None leaves them at 0 to 255.
        normalization: mean and deviation, after scaling.
        size_divisor: what the sides must be a multiple of, for a network that takes any size.
        reduced_decoding: whether a JPEG may be decoded at a half, a quarter or an eighth of its size where the network
            sees it no larger: cheaper, and small things look a little different.
        complete: whether the package says all of this; the architecture fills in what its networks were trained with
            otherwise.
    """

    static_crop: StaticCrop | None = None
    grayscale: bool = False
    contrast: Contrast | None = None
    resize_mode: ResizeMode = ResizeMode.LETTERBOX
    input_hw: tuple[int, int] | None = None
    padding_value: int = 0
    color_mode: Literal["rgb", "bgr"] = "rgb"
    scaling_factor: float | None = 255.0
    normalization: Normalization | None = None
    size_divisor: int = 1
    reduced_decoding: bool = False
    complete: bool = True
