import numpy as np
from numpy.testing import assert_array_equal

from deployments.models.detection.scored_boxes import ScoredBoxes
from load_tests.baselines.plate_pipeline import cut_plates, plate_answer

# Of the tutorial: 200 px wider and 40 px higher, half of it on each side.
PHOTOGRAPH = np.arange(300 * 600 * 3, dtype=np.uint32).reshape(300, 600, 3).astype(np.uint8)


def boxes(*rows):
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


def test_plates_are_cut_with_their_margin():
    (crop,) = cut_plates(PHOTOGRAPH, boxes([250, 100, 350, 130]))
    assert_array_equal(crop, PHOTOGRAPH[80:150, 150:450])


def test_margins_end_at_the_border():
    (crop,) = cut_plates(PHOTOGRAPH, boxes([0, 0, 590, 290]))
    assert_array_equal(crop, PHOTOGRAPH[:300, :600])


def test_no_plate_gives_no_crop():
    assert cut_plates(PHOTOGRAPH, boxes()) == []


def test_an_answer_has_boxes_by_centre_and_size_and_texts():
    found = ScoredBoxes(
        xyxy=boxes([10, 20, 30, 60]),
        confidence=np.array([0.5], dtype=np.float32),
        class_id=np.array([0]),
        class_names=("plate",),
    )
    box = {"x": 20.0, "y": 40.0, "width": 20.0, "height": 40.0, "confidence": 0.5, "class": "plate"}
    assert plate_answer(found, ["B 42"]) == {
        "outputs": [{"predictions": {"predictions": [box]}, "recognised_plates": ["B 42"]}]
    }
