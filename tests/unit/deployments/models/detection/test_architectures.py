from __future__ import annotations

import pytest

from deployments.models.detection.architecture import DetectionArchitecture, Selection
from deployments.models.detection.architectures import ARCHITECTURES, architecture_by_outputs, is_settled
from deployments.models.detection.rfdetr import RFDETR
from deployments.models.detection.yolo26 import YOLO26
from deployments.models.detection.yololite import YOLOLITE
from deployments.models.detection.yolonas import YOLONAS
from deployments.models.detection.yolov5 import YOLOV5
from deployments.models.detection.yolov8 import YOLOV8
from deployments.models.detection.yolov10 import YOLOV10
from deployments.models.network_output import NetworkOutput
from tests.unit.deployments.models.builders import outputs_of


@pytest.mark.parametrize("name", ["yolov8", "yolov9", "yolov11", "yolov12"])
def test_architectures_with_the_layout_of_yolov8_share_its_decoding(name: str) -> None:
    assert ARCHITECTURES[name] is YOLOV8


@pytest.mark.parametrize(
    ("architecture", "selection", "default_confidence"),
    [
        (YOLOV5, Selection.SUPPRESSION, 0.4),
        (YOLOV8, Selection.SUPPRESSION, 0.4),
        (YOLONAS, Selection.SUPPRESSION, 0.4),
        (YOLOLITE, Selection.SUPPRESSION, 0.25),
        (YOLOV10, Selection.FIRST, 0.4),
        (YOLO26, Selection.ALL, 0.25),
        (RFDETR, Selection.ALL, 0.4),
    ],
)
def test_each_architecture_says_what_follows_its_decoding(
    architecture: DetectionArchitecture, selection: Selection, default_confidence: float
) -> None:
    assert (architecture.selection, architecture.default_confidence) == (selection, default_confidence)


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (outputs_of(output0=(1, 84, 8400)), YOLOV8),
        (outputs_of(output0=(4, 5, 8400)), YOLOV8),
        (outputs_of(output0=(1, 6, 8400)), YOLOV8),  # two classes
        (outputs_of(output0=(1, 25200, 85)), YOLOV5),
        (outputs_of(output0=(1, 25200, 6)), YOLOV5),  # one class: three boxes a cell of 8, 16 and 32 pixels
        (outputs_of(output0=(1, 25500, 6)), YOLOV5),  # and of 64
        (
            outputs_of(output=(1, 25200, 85), a=(1, 3, 80, 80, 85), b=(1, 3, 40, 40, 85), c=(1, 3, 20, 20, 85)),
            YOLOV5,
        ),
        (outputs_of(output0=(1, 300, 6)), YOLO26),
        (outputs_of(output0=(1, 1, 6)), YOLO26),
        (
            outputs_of(num_predictions=(1, 1), pred_boxes=(1, 100, 4), pred_scores=(1, 100), pred_classes=(1, 100)),
            YOLO26,
        ),
        (outputs_of(a=(1, 8400, 4), b=(1, 8400, 80)), YOLONAS),  # one box a cell
        (outputs_of(output0=(1, 8400, 84)), YOLONAS),
        (outputs_of(boxes=(1, 2100, 4), objectness=(1, 2100, 1), classes=(1, 2100, 3)), YOLOLITE),
        (outputs_of(a=(1, 300, 4), b=(1, 300, 91)), RFDETR),
        (outputs_of(a=(1, 300, 91), b=(1, 300, 4)), RFDETR),
        (outputs_of(dets=(1, 8400, 4), labels=(1, 8400, 91)), RFDETR),
        (outputs_of(pred_logits=(1, 100, 3), pred_boxes=(1, 100, 4), pred_masks=(1, 100, 108, 108)), RFDETR),
    ],
)
def test_outputs_tell_the_architecture(outputs: list[NetworkOutput], expected: DetectionArchitecture) -> None:
    assert architecture_by_outputs(outputs, (640, 640)) is expected


@pytest.mark.parametrize(
    "outputs",
    [
        outputs_of(),
        outputs_of(output0=(1, 1000)),  # a classifier
        outputs_of(output0=(1, 4, 8400)),  # no class
        outputs_of(output0=(1, 8000, 5)),  # neither anchors of YOLO-NAS nor an objectness
        outputs_of(output0=(1, 84, 8400), output1=(1, 32, 160, 160)),  # a segmentation
        outputs_of(a=(1, 3, 80, 80, 85), b=(1, 3, 40, 40, 85), c=(1, 3, 20, 20, 85)),  # a head without its decoding
        outputs_of(a=(1, 300, 4), b=(1, 200, 91)),
    ],
)
def test_other_outputs_are_not_guessed(outputs: list[NetworkOutput]) -> None:
    assert architecture_by_outputs(outputs, (640, 640)) is None


SMALL = (64, 64)  # 84 cells, of which YOLOv5 has three boxes each


@pytest.mark.parametrize(
    ("outputs", "expected", "settled"),
    [
        (outputs_of(output0=(1, 204, 84)), YOLOV8, True),  # 200 classes
        (outputs_of(output0=(1, 85, 84)), YOLOV8, True),
        (outputs_of(output0=(1, 204, 85)), YOLOV5, False),
        (outputs_of(output0=(1, 204, 90)), YOLOV5, False),
        (outputs_of(output0=(1, 252, 85)), YOLOV5, True),
        (outputs_of(output0=(1, 252, 84)), YOLOV5, False),  # 79 classes, or 248 of YOLOv8
        (outputs_of(output0=(1, 7, 99)), YOLOV8, False),
    ],
)
def test_the_number_of_anchors_tells_columns_from_rows(
    outputs: list[NetworkOutput], expected: DetectionArchitecture, settled: bool
) -> None:
    assert architecture_by_outputs(outputs, SMALL) is expected
    assert is_settled(expected, outputs, SMALL) is settled
