"""The boxes of one picture that are answered, of all that a network gives."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.architecture import DetectionArchitecture, Selection
from deployments.models.detection.class_names import answered_classes, class_name
from deployments.models.detection.confidence import resolve_confidence
from deployments.models.detection.non_max_suppression import non_max_suppression
from deployments.models.detection.outputs import Tensors
from deployments.models.detection.raw_boxes import RawBoxes
from deployments.models.package import ModelPackage
from workflows.ports import PredictionOptions

MAX_BOXES = 3000
"""Most boxes of one picture, whatever a request asks for: the time of suppression grows with boxes kept times boxes
looked at, and tens of thousands of them would keep a core busy for many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChosenBoxes:
    """n boxes and what they are called.

    Attributes:
        boxes: in pixels of the canvas, with classes as answered.
        class_names: (n,) names.
    """

    boxes: RawBoxes
    class_names: tuple[str, ...]


def choose_boxes(
    tensors: Tensors,
    architecture: DetectionArchitecture,
    package: ModelPackage,
    options: PredictionOptions,
    canvas_hw: tuple[int, int],
) -> ChosenBoxes:
    """Decode what a network gave for one picture, and leave what is too unsure, overlaps, or is not asked for.

    Args:
        tensors: what the architecture decodes.
        architecture: of the network.
        package: its names and thresholds.
        options: of the request.
        canvas_hw: size of the network's input.
    """
    threshold = resolve_confidence(package, options.confidence, architecture.default_confidence)
    raw = architecture.decode(tensors, threshold).finite()
    raw = answered_classes(raw, package, unnamed_is_background=architecture.unnamed_is_background)
    raw = raw.select(_kept(raw, architecture.selection, options))
    names = [class_name(package, class_id) for class_id in raw.class_id.tolist()]
    if options.class_filter is not None:
        wanted = [index for index, name in enumerate(names) if name in options.class_filter]
        raw, names = raw.select(np.array(wanted, dtype=np.int64)), [names[index] for index in wanted]
    if architecture.boxes_are_fractions:
        height, width = canvas_hw
        raw = replace(raw, xyxy=raw.xyxy * np.array([width, height, width, height], dtype=np.float32))
    return ChosenBoxes(boxes=raw, class_names=tuple(names))


def _kept(raw: RawBoxes, selection: Selection, options: PredictionOptions) -> NDArray[np.int64]:
    """Positions of the boxes that stay."""
    limit = min(options.max_detections, MAX_BOXES)
    match selection:
        case Selection.SUPPRESSION:
            return non_max_suppression(
                raw.xyxy,
                raw.confidence,
                raw.class_id,
                iou_threshold=options.iou_threshold,
                max_detections=limit,
                class_agnostic=options.class_agnostic_nms,
            )
        case Selection.FIRST:
            return np.arange(min(len(raw.class_id), limit))
        case Selection.ALL:
            return np.arange(min(len(raw.class_id), MAX_BOXES))
