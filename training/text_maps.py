"""What the text detector is taught for each pixel: text, its border, a gap between words, neither, or nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from training.text_scenes import TextScene

NEITHER, KERNEL, BORDER, UNKNOWN, GAP = 0, 1, 2, 3, 4
SHRINK_RATIO = 0.5  # docTR's for LinkNet
KERNEL_PX_MIN = 3.0  # serving drops what is thinner
GAP_HEIGHTS_MAX = 1.5  # words of a line that are further apart, in heights of the first, are told apart without help
_SUBPIXEL_BITS = 4


def shrunken(quad: NDArray[np.float32]) -> NDArray[np.float32]:
    """A quad moved inwards by area * (1 - ratio ** 2) / perimeter, (4, 2).

    Source: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020, section 3.4.
    """
    along, down = (quad[1] + quad[2] - quad[0] - quad[3]) / 2, (quad[2] + quad[3] - quad[0] - quad[1]) / 2
    length, height = float(np.linalg.norm(along)), float(np.linalg.norm(down))
    if min(length, height) < 1:
        return quad
    distance = length * height * (1 - SHRINK_RATIO**2) / (2 * (length + height))
    distance = max(0.0, min(distance, (min(length, height) - KERNEL_PX_MIN) / 2))
    step_x, step_y = along / length * distance, down / height * distance
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32)
    return quad + signs[:, :1] * step_x + signs[:, 1:] * step_y


def _fill(target: NDArray[np.uint8], points: NDArray[np.float32], value: int) -> None:
    # Pixel centres lie at whole numbers here, half a pixel before where the quads have them.
    fixed = np.round((points - 0.5) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(target, [fixed], value, shift=_SUBPIXEL_BITS)


def _gaps(scene: TextScene) -> Iterator[NDArray[np.float32]]:
    """What lies between the shrunken words that follow one another in a line: (4, 2) each."""
    for row, (quad, following) in enumerate(itertools.pairwise(scene.quads)):
        if scene.lines[row] != scene.lines[row + 1] or not scene.legible[row : row + 2].all():
            continue
        apart, height = np.linalg.norm(following[0] - quad[1]), np.linalg.norm(quad[2] - quad[1])
        if apart <= GAP_HEIGHTS_MAX * height:
            before, after = shrunken(quad), shrunken(following)
            yield np.stack([before[1], after[0], after[3], before[2]])


def paint_target(scene: TextScene) -> NDArray[np.uint8]:
    """(h, w) uint8 of NEITHER, KERNEL, BORDER, UNKNOWN and GAP for a scene."""
    target = np.full(scene.rgb.shape[:2], NEITHER, np.uint8)
    centres = scene.quads.mean(1)
    for region in scene.unknown:
        _fill(target, region, UNKNOWN)
        inside = [cv2.pointPolygonTest(region, tuple(map(float, centre)), False) > 0 for centre in centres]
        if any(inside):
            hull = cv2.convexHull(scene.quads[np.array(inside)].reshape(-1, 2))[:, 0]
            _fill(target, hull.mean(0) + (hull - hull.mean(0)) * 1.06, NEITHER)
    for quad, legible in zip(scene.quads, scene.legible, strict=True):
        _fill(target, quad, BORDER if legible else UNKNOWN)
    for gap in _gaps(scene):
        _fill(target, gap, GAP)
    for quad in scene.quads[scene.legible]:
        _fill(target, shrunken(quad), KERNEL)
    return target
