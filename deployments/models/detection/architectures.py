"""Which code decodes which architecture. A new one is one file and one row here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection import yolov8
from deployments.models.detection.raw_boxes import RawBoxes

Tensors = Sequence[NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionArchitecture:
    """How the output of one family of detectors is read.

    Attributes:
        name: of the layout.
        layout: its output in words, for messages.
        decode: (outputs of the batch, position in it, threshold) -> boxes of that picture.
        class_count: classes that outputs of these shapes score; None where they are not of this layout.
        default_confidence: threshold of a package that says nothing.
    """

    name: str
    layout: str
    decode: Callable[[Tensors, int, float | NDArray[np.float32]], RawBoxes]
    class_count: Callable[[Sequence[tuple[int, ...]]], int | None]
    default_confidence: float = 0.4


def _decode_yolov8(outputs: Tensors, position: int, threshold: float | NDArray[np.float32]) -> RawBoxes:
    return yolov8.decode(outputs[0][position].astype(np.float32, copy=False), threshold)


YOLOV8 = DetectionArchitecture(
    name="yolov8",
    layout="one tensor [batch, 4 + classes, anchors]",
    decode=_decode_yolov8,
    class_count=yolov8.class_count,
)

ARCHITECTURES: dict[str, DetectionArchitecture] = {
    "yolov8": YOLOV8,
    "yolov9": YOLOV8,
    "yolov11": YOLOV8,
    "yolov12": YOLOV8,
}
"""By the `model_architecture` of a package."""


def architecture_by_shape(output_shapes: Sequence[tuple[int, ...]]) -> DetectionArchitecture | None:
    """The architecture whose outputs look like these, for packages that do not name theirs; None when none does.

    A single output of 4 + c rows and many more columns is YOLOv8's; a last axis of 6 would be boxes that the graph
    suppressed itself, and more rows than columns YOLOv5's.
    """
    if YOLOV8.class_count(output_shapes) is None:
        return None
    _, rows, columns = output_shapes[0]
    return YOLOV8 if columns != 6 and rows < columns else None
