"""Pictures of any size to the input of a text detector: small for crops, larger for pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deployments.models.image_preprocessing import ImagePreprocessing
from deployments.models.network_input import value_tables, write_planes
from deployments.models.recognition.preprocessing import resize
from workflows.values.image import Pixels

CROP_SIDE_PX = 320
"""Crops of a few letters are enlarged to this length; a detector sees little below it, and most is background above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """Where a picture lies on a network's input: at its top left corner, the rest is padding.

    Attributes:
        input_hw: height and width of the input, pixels.
        picture_wh: size of the picture on it.
        scale_xy: pixels of the input for one of the picture.
    """

    input_hw: tuple[int, int]
    picture_wh: tuple[int, int]
    scale_xy: tuple[float, float]


def plan_canvas(
    image_wh: tuple[int, int], *, page_side: int, divisor: int, fixed_hw: tuple[int | None, int | None] = (None, None)
) -> Canvas:
    """The smallest input that shows a picture well.

    The longer side keeps its length between `CROP_SIDE_PX` and `page_side`, and comes to the nearer of the two
    otherwise; so a crop of 300 x 100 pixels costs a twentieth of a page.

    Args:
        image_wh: of the picture; at least one pixel.
        page_side: longest side that the network was trained on, pixels.
        divisor: what the sides of the input must be a multiple of.
        fixed_hw: height and width of a graph that takes only one; None for a side that is free.
    """
    width, height = image_wh
    longest = max(image_wh)
    wanted = min(max(longest, min(CROP_SIDE_PX, page_side)), page_side)
    fits = [fixed / side for fixed, side in zip(fixed_hw, (height, width), strict=True) if fixed]
    scale = min([wanted / longest, *fits])
    picture_w, picture_h = max(1, round(width * scale)), max(1, round(height * scale))
    input_h, input_w = (
        fixed or -(-side // divisor) * divisor for fixed, side in zip(fixed_hw, (picture_h, picture_w), strict=True)
    )
    return Canvas(
        input_hw=(input_h, input_w),
        picture_wh=(picture_w, picture_h),
        scale_xy=(picture_w / width, picture_h / height),
    )


def fill_canvases(
    images: Sequence[Pixels], canvases: Sequence[Canvas], steps: ImagePreprocessing
) -> NDArray[np.float32]:
    """(b, 3, H, W) float32 for pictures whose canvases have one size.

    Args:
        images: (h, w, 3) BGR or (h, w) grey uint8; not written to.
        canvases: one for each image.
        steps: what the pixel values become.
    """
    batch = np.empty((len(images), 3, *canvases[0].input_hw), dtype=np.float32)
    tables = value_tables(steps)
    for planes, image, canvas in zip(batch, images, canvases, strict=True):
        same = canvas.picture_wh == (image.shape[1], image.shape[0])
        write_planes(
            image if same else resize(image, canvas.picture_wh),
            planes,
            left=0,
            top=0,
            tables=tables,
            rgb=steps.color_mode == "rgb",
            padding_value=steps.padding_value,
        )
    return batch
