"""Pictures to boxes, written a second time from the description of each family: float64, one picture, no shortcuts.

Shares no code with what it checks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


@dataclass
class Found:
    """Boxes of one picture: whole pixels, score and class, and how close any decision was."""

    boxes: list[tuple[int, int, int, int]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)


def bilinear(picture: NDArray[np.uint8], size_wh: tuple[int, int]) -> Doubles:
    """Each pixel of the new picture, its centre looked up in the old one, between the four nearest; not rounded."""
    height, width = picture.shape[:2]
    new_width, new_height = size_wh
    out = np.zeros((new_height, new_width, picture.shape[2]))
    for row in range(new_height):
        y = min(max((row + 0.5) * height / new_height - 0.5, 0), height - 1)
        top, down = int(y), min(int(y) + 1, height - 1)
        for column in range(new_width):
            x = min(max((column + 0.5) * width / new_width - 0.5, 0), width - 1)
            left, right = int(x), min(int(x) + 1, width - 1)
            corners = picture[[top, top, down, down], [left, right, left, right]].astype(float)
            fy, fx = y - top, x - left
            weights = np.array([(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx])
            out[row, column] = weights @ corners
    return out


def letterboxed(picture: NDArray[np.uint8], side: int, fill: int) -> tuple[Doubles, float, int, int]:
    """(3, side, side) RGB from 0 to 1, the scale, and the columns and rows before the picture."""
    height, width = picture.shape[:2]
    scale = min(side / width, side / height)
    new_width, new_height = math.trunc(width * scale), math.trunc(height * scale)
    left, top = math.trunc((side - new_width) / 2), math.trunc((side - new_height) / 2)
    canvas = np.full((side, side, 3), float(fill))
    canvas[top : top + new_height, left : left + new_width] = np.floor(bilinear(picture, (new_width, new_height)) + 0.5)
    return canvas[:, :, ::-1].transpose(2, 0, 1) / 255, scale, left, top


def stretched(picture: NDArray[np.uint8], side: int) -> Doubles:
    """(3, side, side) RGB from 0 to 1."""
    return np.floor(bilinear(picture, (side, side)) + 0.5)[:, :, ::-1].transpose(2, 0, 1) / 255


def overlap(one: Doubles, other: Doubles) -> float:
    """Intersection over union of two corner boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0)
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return common / (area - common) if area > common else 0.0


def suppressed(
    candidates: list[tuple[Doubles, float, int]], iou: float, limit: int
) -> list[tuple[Doubles, float, int]]:
    """Those that no surer one of their class overlaps by more than `iou`, the surest first."""
    kept: list[tuple[Doubles, float, int]] = []
    for box, score, class_id in sorted(candidates, key=lambda candidate: -candidate[1]):
        if all(class_id != other_class or overlap(box, other) <= iou for other, _, other_class in kept):
            kept.append((box, score, class_id))
    return kept[:limit]


def from_centre(values: Doubles) -> Doubles:
    """Corners of centre x and y, width and height."""
    x, y, width, height = values
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])


def sigmoid(value: float) -> float:
    """The logistic function."""
    return 1 / (1 + math.exp(-value))


def candidates_of(family: str, outputs: dict[str, Doubles], confidence: float) -> list[tuple[Doubles, float, int]]:
    """Boxes on the canvas (fractions of it for `rfdetr`), scores and classes that pass, in the order of the network."""
    match family:
        case "yolov8":
            rows = outputs["output0"].T
            every = [(from_centre(row[:4]), row[4:].max(), int(row[4:].argmax())) for row in rows]
            return [each for each in every if each[1] > confidence]
        case "yolov5":
            rows = outputs["output"]
            return [(from_centre(row[:4]), row[5:].max(), int(row[5:].argmax())) for row in rows if row[4] > confidence]
        case "yolonas":
            pairs = zip(outputs["boxes"], outputs["scores"], strict=True)
            every = [(box, scores.max(), int(scores.argmax())) for box, scores in pairs]
            return [each for each in every if each[1] > confidence]
        case "yololite":
            found = []
            for box, objectness, classes in zip(
                *(outputs[name] for name in ("boxes", "objectness", "classes")), strict=True
            ):
                scores = [sigmoid(objectness[0]) * sigmoid(logit) for logit in classes]
                if max(scores) > confidence:
                    found.append((box, max(scores), scores.index(max(scores))))
            return found
        case "yolov10":
            return [(row[:4], row[4], int(row[5])) for row in outputs["output0"] if row[4] > confidence]
        case "fused":
            return [(row[:4], row[4], int(row[5])) for row in outputs["output0"] if row[4] >= confidence]
        case "rfdetr":
            boxes, logits = outputs["dets"], outputs["labels"]
            pairs = [
                (from_centre(boxes[query]), sigmoid(logits[query, class_id]), class_id)
                for query in range(len(boxes))
                for class_id in range(logits.shape[1])
            ]
            surest = sorted(pairs, key=lambda pair: -pair[1])[: len(boxes)]
            background = logits.shape[1] - 1
            return [pair for pair in surest if pair[2] != background and pair[1] > confidence]
    raise ValueError(family)
