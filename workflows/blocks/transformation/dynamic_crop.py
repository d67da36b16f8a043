"""Cut each detection out of its image."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.drawing.colours import parse_colour
from workflows.errors import RuntimeLimitsCausedStepExecutionError
from workflows.geometry.boxes import rounded_corners, shift_boxes
from workflows.kinds import DETECTION_KINDS, Kind
from workflows.manifest_fields import DetectionsRef, Fraction, FractionRef, ImageRef, Reference
from workflows.values.detections import Detections
from workflows.values.image import MAX_CROPPED_PIXELS, Image

Corners = tuple[int, int, int, int]
ColourRef = Annotated[str, Reference((Kind.STRING, Kind.RGB_COLOR))]


class DynamicCrop(BlockManifest):
    """Cut every detection out of its image."""

    human_name: ClassVar[str] = "Dynamic Crop"
    category: ClassVar[str] = "transformation"

    type: Literal["roboflow_core/dynamic_crop@v1", "DynamicCrop", "Crop"]
    images: ImageRef = Field(
        validation_alias=AliasChoices("images", "image"), title="Image to Crop", description="Image to cut from."
    )
    predictions: DetectionsRef = Field(
        validation_alias=AliasChoices("predictions", "detections"),
        title="Regions of Interest",
        description="Detections to cut out.",
    )
    mask_opacity: Fraction | FractionRef = Field(
        default=0.0, description="How much of the background outside a mask is painted over, from 0 to 1."
    )
    background_color: str | tuple[int, int, int] | ColourRef = Field(
        default=(0, 0, 0), description="Colour to paint over the background with, such as #ff8800."
    )


def run(
    images: Image,
    predictions: Detections,
    mask_opacity: float,
    background_color: str | tuple[int, int, int],
) -> list[dict[str, Image | Detections | None]]:
    windows = rounded_corners(predictions.xyxy)
    _check_pixels(windows, images.wh)
    cut: list[dict[str, Image | Detections | None]] = []
    for index, corners in enumerate(windows):
        crop = images.window(str(predictions.detection_id[index]), corners)
        if crop is None:
            cut.append({"crops": None, "predictions": None})
            continue
        found = predictions.select(np.array([index]))
        if mask_opacity > 0 and found.masks is not None:
            mask = found.masks.cut(corners).array(0)
            crop = crop.with_pixels(paint_background(crop.pixels, mask, mask_opacity, background_color))
        cut.append({"crops": crop, "predictions": seen_from(found, corners)})
    return cut


def _check_pixels(windows: list[Corners], image_wh: tuple[int, int]) -> None:
    """Refuse windows that overlap so much that together they are many times the image."""
    width, height = image_wh
    pixels = sum(
        len(range(*slice(left, right).indices(width))) * len(range(*slice(top, bottom).indices(height)))
        for left, top, right, bottom in windows
    )
    if pixels > MAX_CROPPED_PIXELS:
        raise RuntimeLimitsCausedStepExecutionError(
            f"the {len(windows)} crops of one image have {pixels} pixels together; at most {MAX_CROPPED_PIXELS} are "
            "allowed: filter the detections, or send a smaller image"
        )


def seen_from(detections: Detections, corners: Corners) -> Detections:
    """Detections in the pixels of a window; they still say of which image they are."""
    left, top, _, _ = corners
    keypoints, masks = detections.keypoints, detections.masks
    return detections.replace(
        xyxy=shift_boxes(detections.xyxy, -left, -top),
        keypoints=None if keypoints is None else replace(keypoints, xy=keypoints.xy - np.array([left, top])),
        masks=None if masks is None else masks.cut(corners),
    )


def paint_background(
    bgr: NDArray[np.uint8], mask: NDArray[np.bool_], opacity: float, colour: str | tuple[int, int, int]
) -> NDArray[np.uint8]:
    """(h, w, 3) pixels with a colour laid over those outside the mask; `opacity` 1 hides them. Takes grey ones too."""
    if bgr.ndim == 2:
        bgr = cv2.cvtColor(bgr, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    paint = np.empty_like(bgr)
    paint[:] = parse_colour(colour)[::-1]
    painted = cv2.addWeighted(paint, opacity, bgr, 1.0 - opacity, 0.0)
    return np.where(mask[:, :, None], bgr, painted).astype(np.uint8)


BLOCK = Block(
    DynamicCrop,
    run,
    outputs={"crops": (Kind.IMAGE,), "predictions": DETECTION_KINDS},
    runs_on=RunsOn.TRANSFORMS,
    output_offset=1,
    batch_fields=("images", "predictions"),
)
