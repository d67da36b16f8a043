"""Which code decodes which architecture. A new one is one file and one row here."""

from __future__ import annotations

from deployments.models.detection import rfdetr, yolo26
from deployments.models.detection.architecture import DetectionArchitecture
from deployments.models.detection.chosen_rows import ROW_COLUMNS
from deployments.models.detection.outputs import anchor_count
from deployments.models.detection.rfdetr import RFDETR
from deployments.models.detection.yolo26 import YOLO26
from deployments.models.detection.yololite import YOLOLITE
from deployments.models.detection.yolonas import YOLONAS
from deployments.models.detection.yolov5 import YOLOV5
from deployments.models.detection.yolov8 import YOLOV8
from deployments.models.detection.yolov10 import YOLOV10
from deployments.models.network_output import Outputs

ARCHITECTURES: dict[str, DetectionArchitecture] = {
    "rfdetr": RFDETR,
    "yolo26": YOLO26,
    "yololite": YOLOLITE,
    "yolonas": YOLONAS,
    "yolov5": YOLOV5,
    "yolov8": YOLOV8,
    "yolov9": YOLOV8,
    "yolov10": YOLOV10,
    "yolov11": YOLOV8,
    "yolov12": YOLOV8,
}
"""By the `model_architecture` of a package."""

CHOOSE_THEMSELVES = frozenset({"yolov10", "rfdetr"})
"""Architectures whose graphs never leave overlapping boxes: that a package says so changes nothing."""

P6_STRIDES = (8, 16, 32, 64)
YOLOV5_BOXES_A_CELL = 3


def architecture_by_outputs(outputs: Outputs, input_hw: tuple[int, int]) -> DetectionArchitecture | None:
    """The architecture whose outputs look like these, for packages that do not name theirs; None when none does.

    Names come first, where a graph calls its outputs as DETR graphs do. Then the number of tensors and their shapes;
    where two families have the same, the number of anchors on this canvas tells them apart.

    Args:
        outputs: of a run of the network.
        input_hw: height and width of its canvas.
    """
    if rfdetr.find_by_name(outputs) is not None:
        return RFDETR
    if len(outputs) > 1:
        return _by_several_outputs(outputs, input_hw)
    if len(outputs) == 1 and len(outputs[0].shape) == 3:
        return _by_one_output(outputs, input_hw)
    return None


def _by_several_outputs(outputs: Outputs, input_hw: tuple[int, int]) -> DetectionArchitecture | None:
    for architecture in (YOLO26, YOLOLITE, YOLOV5):
        if architecture.find(outputs) is not None:
            return architecture
    if (roles := YOLONAS.find(outputs)) and outputs[roles.positions[0]].shape[1] == anchor_count(input_hw):
        return YOLONAS
    return RFDETR if RFDETR.find(outputs) is not None else None


def _by_one_output(outputs: Outputs, input_hw: tuple[int, int]) -> DetectionArchitecture | None:
    _, rows, columns = outputs[0].shape
    if rows == anchor_count(input_hw) and YOLONAS.find(outputs) is not None:
        return YOLONAS
    if columns == ROW_COLUMNS and rows not in _yolov5_rows(input_hw):
        return YOLO26 if yolo26.find(outputs) is not None else None
    if YOLOV8.find(outputs) is not None or (columns == anchor_count(input_hw) and rows not in _yolov5_rows(input_hw)):
        return YOLOV8 if YOLOV8.roles(outputs, input_hw) is not None else None
    return YOLOV5 if YOLOV5.find(outputs) is not None else None


def is_settled(guessed: DetectionArchitecture, outputs: Outputs, input_hw: tuple[int, int]) -> bool:
    """Whether outputs can hardly be of another architecture than the one guessed.

    A column for each anchor and a row for each look alike: only the number of anchors tells them apart for sure.
    """
    if guessed not in (YOLOV8, YOLOV5) or len(outputs) > 1:
        return True
    _, rows, columns = outputs[0].shape
    as_columns, as_rows = columns == anchor_count(input_hw), rows in _yolov5_rows(input_hw)
    return as_columns != as_rows and as_columns == (guessed is YOLOV8)


def _yolov5_rows(input_hw: tuple[int, int]) -> set[int]:
    return {YOLOV5_BOXES_A_CELL * anchor_count(input_hw, strides) for strides in ((8, 16, 32), P6_STRIDES)}
