import pytest

from workflows.ports import PredictionOptions


def test_one_box_may_be_the_most():
    assert PredictionOptions(max_detections=1).max_detections == 1


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_box_is_refused(limit):
    with pytest.raises(ValueError, match=f"max_detections is {limit}; it must be at least 1"):
        PredictionOptions(max_detections=limit)
