import numpy as np
import pytest
from pydantic import ValidationError

from tests.unit.workflows.query.chains import binary, dynamic, group, run, static
from tests.unit.workflows.query.values import detections, read_only
from workflows.errors import InvalidInputTypeError, OperationError
from workflows.query.detection_properties import one_by_one
from workflows.values.detections import KeyPoints

TWO = detections(
    [80, 69.5, 121, 91], [170.5, 135, 230.5, 165], confidence=[0.9, 0.5], class_name=["a", "b"], class_id=[0, 1]
)


def extract(name, value=TWO):
    return run({"type": "DetectionsPropertyExtract", "property_name": name}, value=value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("confidence", [0.9, 0.5]),
        ("class_name", ["a", "b"]),
        ("class_id", [0, 1]),
        ("x_min", [80.0, 170.5]),
        ("x_max", [121.0, 230.5]),
        ("y_min", [69.5, 135.0]),
        ("y_max", [91.0, 165.0]),
        ("size", [881.5, 1800.0]),
        ("width", [41.0, 60.0]),
        ("height", [21.5, 30.0]),
        ("image_dimensions", [[240, 320], [240, 320]]),
        ("prediction_type", ["object-detection", "object-detection"]),
    ],
)
def test_a_property_of_all_detections_is_a_list(name, expected):
    assert extract(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("center", [[100, 80], [200, 150]]),  # 100.5 and 200.5: halves go to the even neighbour
        ("top_left", [[80, 70], [170, 135]]),
        ("top_right", [[121, 70], [230, 135]]),
        ("bottom_left", [[80, 91], [170, 165]]),
        ("bottom_right", [[121, 91], [230, 165]]),
    ],
)
def test_points_of_all_detections_are_whole_pixels(name, expected):
    points = extract(name)
    assert points == expected
    assert all(type(coordinate) is int for point in points for coordinate in point)


@pytest.mark.parametrize("name", ["confidence", "center", "tracker_id", "velocity", "image_dimensions"])
def test_zero_detections_have_an_empty_list_of_every_property(name):
    assert extract(name, detections()) == []


@pytest.mark.parametrize("name", ["tracker_id", "velocity", "time_in_zone", "area_px", "keypoints_xy"])
def test_a_property_that_nobody_measured_is_an_error_that_lists_the_others(name):
    with pytest.raises(OperationError, match=f"have no {name}.*they have confidence, class_name"):
        extract(name)


def test_image_dimensions_are_unknown_where_the_image_is():
    with pytest.raises(OperationError, match="have no image_dimensions"):
        extract("image_dimensions", detections([0, 0, 1, 1], image_wh=None))


def test_tracker_ids_are_found_where_detections_are_tracked():
    tracked = TWO.replace(tracker_id=read_only([7, 9], np.int64))
    assert extract("tracker_id", tracked) == [7, 9]
    assert one_by_one(tracked)[1].value_of("tracker_id") == 9


def test_key_points_that_a_detection_lacks_are_left_out():
    keypoints = KeyPoints(
        xy=read_only([[[1, 2], [3, 4]], [[5, 6], [np.nan, np.nan]]], np.float64),
        confidence=read_only([[0.9, 0.8], [0.7, 0]], np.float64),
        class_id=read_only([[0, 1], [0, 1]], np.int64),
        class_name=read_only([["nose", "eye"], ["nose", "eye"]], np.str_),
    )
    assert extract("keypoints_xy", TWO.replace(keypoints=keypoints)) == [[[1, 2], [3, 4]], [[5, 6]]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("confidence", 0.5),
        ("class_name", "b"),
        ("center", [200.5, 150.0]),
        ("top_left", [170.5, 135.0]),
        ("bottom_right", [230.5, 165.0]),
        ("image_dimensions", [240, 320]),
        ("tracker_id", None),
        ("velocity", None),
    ],
)
def test_a_property_of_one_detection_is_exact_and_null_where_not_measured(name, expected):
    operation = {"type": "ExtractDetectionProperty", "property_name": name}
    assert run(operation, value=one_by_one(TWO)[1]) == expected


def test_one_detection_is_compared_inside_a_filter():
    size = dynamic("_", {"type": "ExtractDetectionProperty", "property_name": "size"})
    keep_large = {"type": "DetectionsFilter", "filter_operation": group(binary(size, "(Number) >", static(1000)))}
    assert run(keep_large, value=TWO).detection_id.tolist() == ["d-1"]


@pytest.mark.parametrize(
    ("operation", "value"),
    [
        ("DetectionsPropertyExtract", "x"),
        ("DetectionsPropertyExtract", {"predictions": []}),
        ("ExtractDetectionProperty", TWO),
        ("ExtractDetectionProperty", "x"),
    ],
)
def test_extraction_takes_detections_only(operation, value):
    with pytest.raises(InvalidInputTypeError, match="takes"):
        run({"type": operation, "property_name": "confidence"}, value=value)


def test_an_unknown_property_is_refused_with_the_document():
    with pytest.raises(ValidationError, match="Input should be 'confidence', 'class_name'"):
        extract("nope")


def test_detections_that_do_not_say_what_made_them_have_no_such_property():
    unknown = detections([0, 0, 4, 4], prediction_type=None)
    with pytest.raises(OperationError, match="no prediction_type"):
        run({"type": "DetectionsPropertyExtract", "property_name": "prediction_type"}, value=unknown)
