import numpy as np
import pytest

from training.photographs import Photograph
from training.plate_detection_tables import match_all

NO_BOXES, NO_SCORES = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)


def photograph(*boxes: list[float]) -> Photograph:
    return Photograph(bgr=np.zeros((9, 9, 3), np.uint8), plates_xyxy=np.array(boxes, np.float32).reshape(-1, 4))


def found(*rows: list[float]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(rows, np.float32)
    return table[:, :4], table[:, 4]


def test_average_precision_is_the_area_under_the_envelope():
    """Right, wrong, right of two plates: half the recall at precision 1, half at 2 of 3."""
    plates = photograph([0, 0, 10, 10], [20, 0, 30, 10])
    rows = found([0, 0, 10, 10, 0.9], [50, 50, 60, 60, 0.8], [20, 0, 30, 10, 0.7])
    matches = match_all([rows], [plates], 0.5)
    assert matches.average_precision() == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert matches.at(0.75) == (0.5, 0.5)
    assert matches.best_threshold() == pytest.approx(0.7)


def test_a_plate_counts_once():
    rows = found([0, 0, 10, 10, 0.9], [0, 0, 10, 9, 0.8])
    matches = match_all([rows], [photograph([0, 0, 10, 10])], 0.5)
    assert matches.right.tolist() == [True, False]


@pytest.mark.parametrize(("iou", "right"), [(0.3, True), (0.5, False)])
def test_a_box_is_right_from_the_overlap_asked_for(iou, right):
    rows = found([0, 0, 10, 4, 0.9])  # 40 of 100 square pixels
    assert match_all([rows], [photograph([0, 0, 10, 10])], iou).right.tolist() == [right]


def test_nothing_found_where_nothing_is():
    matches = match_all([(NO_BOXES, NO_SCORES)], [photograph()], 0.5)
    assert (matches.plates, len(matches.right), matches.average_precision()) == (0, 0, 0.0)
