"""Pictures of any size to one batch of a detector's input, and the way back for its boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.models.contrast import raise_contrast
from deployments.models.image_preprocessing import ImagePreprocessing, ResizeMode, StaticCrop
from deployments.models.network_input import value_tables, write_planes
from workflows.ports import PredictionOptions
from workflows.values.image import Pixels

Boxes = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Where the picture lies on the network's canvas. All in pixels.

    Attributes:
        image_wh: of the picture as it came.
        crop_ltwh: left, top, width and height of the static crop; the whole picture without one.
        resized_wh: size the crop is scaled to.
        canvas_hw: size of the network's input.
        pad_left: columns before the picture; negative where the canvas is narrower than the picture (center-crop).
        pad_top: rows above it.
        scale_x: columns of the canvas for one of the picture.
        scale_y: rows of the canvas for one of the picture.
    """

    image_wh: tuple[int, int]
    crop_ltwh: tuple[int, int, int, int]
    resized_wh: tuple[int, int]
    canvas_hw: tuple[int, int]
    pad_left: int = 0
    pad_top: int = 0
    scale_x: float = 1.0
    scale_y: float = 1.0


def steps_for(steps: ImagePreprocessing, options: PredictionOptions) -> ImagePreprocessing:
    """The package's steps without those that the request leaves out."""
    if not (options.disable_contrast or options.disable_grayscale or options.disable_static_crop):
        return steps
    return replace(
        steps,
        contrast=None if options.disable_contrast else steps.contrast,
        grayscale=steps.grayscale and not options.disable_grayscale,
        static_crop=None if options.disable_static_crop else steps.static_crop,
    )


def plan_geometry(image_wh: tuple[int, int], input_hw: tuple[int, int], steps: ImagePreprocessing) -> Geometry:
    """Where a picture of `image_wh` comes to lie on a canvas of `input_hw`.

    Sizes and paddings are cut to whole pixels, not rounded; only `fit-longer-edge` rounds.
    Source: inference_models 0.39, models/common/roboflow/pre_processing.py (behaviour).
    """
    crop = _crop_window(image_wh, steps.static_crop)
    width, height = crop[2], crop[3]
    target_h, target_w = input_hw
    scale_x, scale_y = target_w / width, target_h / height
    match steps.resize_mode:
        case ResizeMode.STRETCH:
            return Geometry(
                image_wh=image_wh,
                crop_ltwh=crop,
                resized_wh=(target_w, target_h),
                canvas_hw=input_hw,
                scale_x=scale_x,
                scale_y=scale_y,
            )
        case ResizeMode.LETTERBOX | ResizeMode.LETTERBOX_REFLECT_EDGES:
            scale = min(scale_x, scale_y)
            resized = max(1, int(width * scale)), max(1, int(height * scale))
            return Geometry(
                image_wh=image_wh,
                crop_ltwh=crop,
                resized_wh=resized,
                canvas_hw=input_hw,
                pad_left=(target_w - resized[0]) // 2,
                pad_top=(target_h - resized[1]) // 2,
                scale_x=scale,
                scale_y=scale,
            )
        case ResizeMode.FIT_LONGER_EDGE:
            wide = scale_x < scale_y
            resized = (
                target_w if wide else max(1, round(scale_y * width)),
                max(1, round(scale_x * height)) if wide else target_h,
            )
            return Geometry(
                image_wh=image_wh,
                crop_ltwh=crop,
                resized_wh=resized,
                canvas_hw=(resized[1], resized[0]),
                scale_x=resized[0] / width,
                scale_y=resized[1] / height,
            )
        case ResizeMode.CENTER_CROP:
            return Geometry(
                image_wh=image_wh,
                crop_ltwh=crop,
                resized_wh=(width, height),
                canvas_hw=input_hw,
                pad_left=_centre(target_w - width),
                pad_top=_centre(target_h - height),
            )


def fill_batch(
    images: Sequence[Pixels], geometries: Sequence[Geometry], steps: Sequence[ImagePreprocessing]
) -> NDArray[np.float32]:
    """(b, 3, H, W) float32 for pictures whose geometries share one canvas.

    Args:
        images: (h, w, 3) BGR or (h, w) grey uint8; not written to.
        geometries: of `plan_geometry`, one for each image.
        steps: what is done to each image; their tables are those of the first.
    """
    batch = np.empty((len(images), 3, *geometries[0].canvas_hw), dtype=np.float32)
    tables = value_tables(steps[0])
    for planes, image, geometry, each in zip(batch, images, geometries, steps, strict=True):
        pixels, left, top = _arrange(_adjust(image, geometry, each), geometry)
        zero_canvas = each.resize_mode is ResizeMode.CENTER_CROP
        write_planes(
            pixels,
            planes,
            left=left,
            top=top,
            tables=tables,
            rgb=each.color_mode == "rgb",
            padding_value=0 if zero_canvas else each.padding_value,
        )
    return batch


def boxes_on_image(xyxy: Boxes, geometry: Geometry) -> Boxes:
    """Boxes on the canvas as whole pixels of the picture, none outside it; halves round to the even neighbour.

    Args:
        xyxy: (n, 4) float32 on the canvas; n may be 0.
        geometry: of the picture.

    Returns:
        (n, 4) float32, a new array.
    """
    borders = np.array(geometry.image_wh, dtype=np.float32)
    inside = np.clip(_on_image(xyxy.reshape(-1, 2, 2), geometry), np.float32(0), borders)
    return np.rint(inside, dtype=np.float32).reshape(-1, 4)


def points_on_image(xy: NDArray[np.float32], geometry: Geometry) -> NDArray[np.float32]:
    """(..., 2) points on the canvas as whole pixels of the picture, also outside it; halves to the even neighbour."""
    return np.rint(_on_image(xy, geometry), dtype=np.float32)


def _on_image(xy: NDArray[np.float32], geometry: Geometry) -> NDArray[np.float32]:
    pads = np.array([geometry.pad_left, geometry.pad_top], dtype=np.float32)
    scales = np.array([geometry.scale_x, geometry.scale_y], dtype=np.float32)
    offsets = np.array(geometry.crop_ltwh[:2], dtype=np.float32)
    placed: NDArray[np.float32] = (xy - pads) / scales + offsets
    return placed


def _crop_window(image_wh: tuple[int, int], crop: StaticCrop | None) -> tuple[int, int, int, int]:
    width, height = image_wh
    if crop is None:
        return 0, 0, width, height
    left, top = int(crop.x_min / 100 * width), int(crop.y_min / 100 * height)
    right, bottom = int(crop.x_max / 100 * width), int(crop.y_max / 100 * height)
    return left, top, max(1, right - left), max(1, bottom - top)  # a tiny picture keeps one pixel


def _centre(difference: int) -> int:
    return difference // 2 if difference > 0 else -(-difference // 2)


def _adjust(image: Pixels, geometry: Geometry, steps: ImagePreprocessing) -> Pixels:
    left, top, width, height = geometry.crop_ltwh
    pixels = image[top : top + height, left : left + width]
    if steps.grayscale and pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    if steps.contrast is not None:
        bgr = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
        pixels = raise_contrast(bgr, steps.contrast)
    return pixels


def _arrange(pixels: Pixels, geometry: Geometry) -> tuple[Pixels, int, int]:
    """The resized picture without what lies outside the canvas, and its column and row there."""
    height, width = pixels.shape[:2]
    if geometry.resized_wh != (width, height):
        resized = cv2.resize(pixels, geometry.resized_wh, interpolation=cv2.INTER_LINEAR)
        return resized.astype(np.uint8, copy=False), geometry.pad_left, geometry.pad_top
    outside_left, outside_top = max(0, -geometry.pad_left), max(0, -geometry.pad_top)
    canvas_h, canvas_w = geometry.canvas_hw
    seen = pixels[outside_top : outside_top + canvas_h, outside_left : outside_left + canvas_w]
    return seen, max(0, geometry.pad_left), max(0, geometry.pad_top)
