"""Detections in the pixels of the uploaded image instead of those of the window they were found in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workflows.values.detections import Detections
from workflows.values.masks import Masks
from workflows.values.origin import Origin, Placement


def to_root_frame(detections: Detections) -> Detections:
    """The same detections on the uploaded image; untouched when they are there already or their place is unknown.

    Boxes, key points and masks lose the scale of the window and move by its place; masks are pasted onto a canvas of
    the uploaded image's size; the uploaded image becomes the parent.
    """
    placement = detections.placement
    if placement is None or detections.image_wh is None:
        return detections
    root = placement.root
    root_wh = (root.width_px, root.height_px)
    if root.left_px == 0 and root.top_px == 0 and placement.scale == 1.0 and detections.image_wh == root_wh:
        return detections
    uploaded = Placement.of_upload(root.id, root_wh)
    if len(detections) == 0:
        return detections.replace(image_wh=root_wh, placement=uploaded)
    shift = np.array([root.left_px, root.top_px], dtype=np.float64)
    keypoints = detections.keypoints
    return detections.replace(
        xyxy=detections.xyxy / placement.scale + np.tile(shift, 2),
        keypoints=None if keypoints is None else replace(keypoints, xy=keypoints.xy / placement.scale + shift),
        masks=None if detections.masks is None else _on_root(detections.masks, placement.scale, root),
        parent_id=np.full(len(detections), root.id),
        image_wh=root_wh,
        placement=uploaded,
    )


def to_own_frame(detections: Detections) -> Detections:
    """Detections as they are; none at all say nothing about the image they were looked for on.

    Source: engine 1.17.0, which keeps the size of an image in the rows of its detections.
    """
    if len(detections) == 0 and detections.placement is not None:
        return detections.replace(image_wh=None)
    return detections


def _on_root(masks: Masks, scale: float, root: Origin) -> Masks:
    if scale != 1.0:
        masks = masks.scaled(1 / scale)
    return masks.moved(root.left_px, root.top_px, (root.width_px, root.height_px))
