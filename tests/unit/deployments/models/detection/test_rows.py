"""Every family says which row of its network's output a box was: masks and key points stand there."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection import rfdetr, yolo26, yololite, yolonas, yolov5, yolov8, yolov10
from tests.unit.deployments.models.builders import tensor

XYXY = tensor([[0, 0, 2, 2], [4, 0, 6, 2], [8, 0, 10, 2], [12, 0, 14, 2]])
CXCYWH = tensor([[1, 1, 2, 2], [5, 1, 2, 2], [9, 1, 2, 2], [13, 1, 2, 2]])
SCORES = tensor([[0.1], [0.9], [0.2], [0.8]])
LOGITS = tensor([[-3], [3], [-2], [2]])
ROWS = np.concatenate([XYXY, SCORES, np.zeros((4, 1), np.float32)], axis=1)


@pytest.mark.parametrize(
    ("decode", "outputs"),
    [
        (yolov8.decode, [np.concatenate([CXCYWH, SCORES], axis=1).T]),
        (yolov5.decode, [np.concatenate([CXCYWH, SCORES, SCORES], axis=1)]),
        (yolonas.decode, [XYXY, SCORES]),
        (yololite.decode, [XYXY, LOGITS * 9, LOGITS]),
        (yolov10.decode, [ROWS]),
        (yolo26.decode, [ROWS]),
        (rfdetr.decode, [CXCYWH / 16, LOGITS]),
    ],
)
def test_a_box_knows_its_row(decode, outputs) -> None:  # type: ignore[no-untyped-def]
    assert_array_equal(decode(outputs, 0.5).row, [1, 3])
    assert decode(outputs, 0.99).row.shape == (0,)


def test_rows_that_stand_for_no_box_are_counted_all_the_same() -> None:
    broken = ROWS.copy()
    broken[0, 5] = -1
    broken[1, 0] = np.nan
    assert_array_equal(yolov10.decode([broken], 0.5).row, [3])


def test_of_one_query_that_is_two_classes_both_boxes_know_it() -> None:
    assert_array_equal(rfdetr.decode([CXCYWH / 16, tensor([[-9, -9], [3, 2], [-9, -9], [-9, -9]])], 0.5).row, [1, 1])
