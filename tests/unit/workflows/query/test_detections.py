import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydantic import ValidationError

from tests.unit.workflows.query.chains import binary, dynamic, group, run, static
from tests.unit.workflows.query.values import detections
from workflows.errors import InvalidInputTypeError, OperationError, UndeclaredSymbolError
from workflows.values.origin import Placement

MIX = detections(
    [80, 70, 120, 90],
    [15, 135, 105, 165],
    [190, 10, 210, 70],
    [80, 70, 120, 90],
    confidence=[0.6, 0.5, 0.9, 0.6],
    class_name=["a", "b", "c", "a"],
    class_id=[0, 1, 2, 0],
    placement=Placement.of_upload("image", (320, 240)),
)
EMPTY = detections()


def ids(value):
    return value.detection_id.tolist()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("confidence", ["d-1", "d-0", "d-3", "d-2"]),
        ("x_min", ["d-1", "d-0", "d-3", "d-2"]),
        ("x_max", ["d-1", "d-0", "d-3", "d-2"]),
        ("y_min", ["d-2", "d-0", "d-3", "d-1"]),
        ("y_max", ["d-2", "d-0", "d-3", "d-1"]),
        ("size", ["d-0", "d-3", "d-2", "d-1"]),
        ("center_x", ["d-1", "d-0", "d-3", "d-2"]),
        ("center_y", ["d-2", "d-0", "d-3", "d-1"]),
    ],
)
def test_sorting_keeps_equals_in_order_and_descending_is_the_reverse(mode, expected):
    assert ids(run({"type": "SortDetections", "mode": mode}, value=MIX)) == expected
    assert ids(run({"type": "SortDetections", "mode": mode, "ascending": False}, value=MIX)) == expected[::-1]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("left_most", ["d-1"]),
        ("right_most", ["d-2"]),
        ("top_confidence", ["d-2"]),
        ("first", ["d-0"]),
        ("last", ["d-3"]),
    ],
)
def test_selection_keeps_one(mode, expected):
    assert ids(run({"type": "DetectionsSelection", "mode": mode}, value=MIX)) == expected


def test_sides_are_judged_by_centres():
    wide_and_narrow = detections([0, 0, 100, 10], [20, 0, 40, 10])
    assert ids(run({"type": "DetectionsSelection", "mode": "left_most"}, value=wide_and_narrow)) == ["d-1"]


def test_the_offset_is_halved_for_each_side_and_nothing_is_clipped():
    grown = run({"type": "DetectionsOffset", "offset_x": 30, "offset_y": 9}, value=detections([5, 5, 45, 25]))
    assert_array_equal(grown.xyxy, [[-10, 0.5, 60, 29.5]])
    assert ids(grown) == ["d-0"]


def test_a_shift_moves_boxes_beyond_the_image():
    moved = run({"type": "DetectionsShift", "shift_x": -120, "shift_y": 15}, value=detections([80, 90, 120, 110]))
    assert_array_equal(moved.xyxy, [[-40, 105, 0, 125]])


@pytest.mark.parametrize(
    ("class_map", "extra", "names", "class_ids"),
    [
        ({"a": "z", "b": "y", "c": "x"}, {}, ["z", "y", "x", "z"], [2, 1, 0, 2]),
        ({"a": "z", "b": "y", "c": "x", "q": "w"}, {}, ["z", "y", "x", "z"], [3, 2, 1, 3]),
        ({"a": "k", "b": "k", "c": "k"}, {}, ["k"] * 4, [0] * 4),
        ({"a": "z"}, {"strict": False}, ["z", "b", "c", "z"], [1024, 1, 2, 1024]),
        ({"a": "z", "b": "y"}, {"strict": False, "new_classes_id_offset": 5}, ["z", "y", "c", "z"], [6, 5, 2, 6]),
        ({"a": "c"}, {"strict": False}, ["c", "b", "c", "c"], [2, 1, 2, 2]),
        ({"a": "b", "b": "a", "c": "c"}, {"strict": False}, ["b", "a", "c", "b"], [1, 0, 2, 1]),
        ({}, {"strict": False}, ["a", "b", "c", "a"], [0, 1, 2, 0]),
    ],
)
def test_renamed_classes_get_ids_that_fit(class_map, extra, names, class_ids):
    renamed = run({"type": "DetectionsRename", "class_map": class_map} | extra, value=MIX)
    assert renamed.class_name.tolist() == names
    assert renamed.class_id.tolist() == class_ids


def test_strict_renaming_names_the_classes_without_an_entry():
    with pytest.raises(OperationError, match="no entry for 'b', 'c'"):
        run({"type": "DetectionsRename", "class_map": {"a": "z"}}, value=MIX)


def test_the_table_and_strictness_may_be_operands():
    operation = {"type": "DetectionsRename", "class_map": "names", "strict": "exact"}
    renamed = run(operation, value=MIX, names={"c": "van"}, exact=False)
    assert renamed.class_name.tolist() == ["a", "b", "van", "a"]


def test_an_operand_that_is_missing_is_undeclared():
    with pytest.raises(UndeclaredSymbolError, match="'names' is not declared; declared here: other"):
        run({"type": "DetectionsRename", "class_map": "names"}, value=MIX, other=1)


@pytest.mark.parametrize("names", [["a"], {"a": 1}, "text"])
def test_a_table_from_an_operand_must_hold_strings(names):
    with pytest.raises(InvalidInputTypeError, match="takes a dictionary of strings"):
        run({"type": "DetectionsRename", "class_map": "names"}, value=MIX, names=names)


def test_strictness_from_an_operand_must_be_a_boolean():
    with pytest.raises(InvalidInputTypeError, match="takes a boolean as strict, got an integer"):
        run({"type": "DetectionsRename", "class_map": {}, "strict": "exact"}, value=MIX, exact=1)


def test_parents_come_first_and_then_what_has_its_centre_in_them_border_included():
    found = detections(
        [105, 105, 115, 115],  # inside
        [50, 60, 150, 140],  # parent
        [145, 135, 155, 145],  # centre on the corner
        [146, 135, 156, 145],  # centre beyond
        [105, 105, 115, 115],  # a second parent
        class_name=["q", "p", "q", "q", "p"],
    )
    picked = run({"type": "PickDetectionsByParentClass", "parent_class": "p"}, value=found)
    assert ids(picked) == ["d-1", "d-4", "d-0", "d-2"]


def test_a_filter_keeps_the_order_and_the_image():
    surely = binary(
        dynamic("_", {"type": "ExtractDetectionProperty", "property_name": "confidence"}), "(Number) >", static(0.55)
    )
    kept = run({"type": "DetectionsFilter", "filter_operation": group(surely)}, value=MIX)
    assert ids(kept) == ["d-0", "d-2", "d-3"]
    assert kept.image_wh == (320, 240)
    assert kept.placement is MIX.placement


KEEP_NONE = {"type": "DetectionsFilter", "filter_operation": group(binary(static(1), "==", static(2)))}


def test_a_filter_that_leaves_nothing_forgets_the_image():
    nothing = run(KEEP_NONE, value=MIX)
    assert (len(nothing), nothing.image_wh, nothing.placement) == (0, None, None)


@pytest.mark.parametrize(
    "operation",
    [
        KEEP_NONE,
        {"type": "SortDetections", "mode": "size"},
        {"type": "DetectionsSelection", "mode": "left_most"},
        {"type": "DetectionsSelection", "mode": "top_confidence"},
        {"type": "DetectionsOffset", "offset_x": 1, "offset_y": 1},
        {"type": "DetectionsShift", "shift_x": 1, "shift_y": 1},
        {"type": "DetectionsRename", "class_map": {"a": "b"}},
    ],
)
def test_zero_detections_pass_with_their_image(operation):
    passed = run(operation, value=EMPTY)
    assert (len(passed), passed.image_wh) == (0, (320, 240))


@pytest.mark.parametrize("value", [MIX, EMPTY])
def test_picking_by_an_absent_class_leaves_nothing_and_forgets_the_image(value):
    nothing = run({"type": "PickDetectionsByParentClass", "parent_class": "nope"}, value=value)
    assert (len(nothing), nothing.image_wh) == (0, None)


def test_the_dictionary_has_the_shape_of_an_answer():
    written = run({"type": "DetectionsToDictionary"}, value=detections([80, 70, 120, 90], confidence=[0.9]))
    assert written["image"] == {"width": 320, "height": 240}
    row = written["predictions"][0]
    assert (row["x"], row["y"], row["width"], row["height"]) == (100, 80, 40, 20)
    assert (row["class"], row["class_id"], row["confidence"], row["detection_id"]) == ("plate", 0, 0.9, "d-0")


@pytest.mark.parametrize(
    "operation",
    [
        KEEP_NONE,
        {"type": "SortDetections", "mode": "size"},
        {"type": "DetectionsSelection", "mode": "first"},
        {"type": "DetectionsOffset", "offset_x": 1, "offset_y": 1},
        {"type": "DetectionsShift", "shift_x": 1, "shift_y": 1},
        {"type": "DetectionsRename", "class_map": {"a": "b"}},
        {"type": "PickDetectionsByParentClass", "parent_class": "a"},
        {"type": "DetectionsToDictionary"},
    ],
)
@pytest.mark.parametrize("value", ["x", {"predictions": []}, None, [1]])
def test_other_values_are_refused(operation, value):
    with pytest.raises(InvalidInputTypeError, match="takes detections, got"):
        run(operation, value=value)


def test_offsets_are_whole_pixels():
    with pytest.raises(ValidationError, match="valid integer"):
        run({"type": "DetectionsOffset", "offset_x": 5.5, "offset_y": 1}, value=MIX)


def test_masks_follow_their_detections():
    masks = np.zeros((2, 4, 4), dtype=bool)
    masks[1] = True
    two = detections([0, 0, 2, 2], [0, 0, 1, 1], masks=masks)
    first = run({"type": "SortDetections", "mode": "size"}, {"type": "DetectionsSelection", "mode": "first"}, value=two)
    assert first.masks.arrays().all()


def test_names_that_would_fill_the_memory_are_refused():
    rename = {"type": "DetectionsRename", "class_map": {"a": "x" * 513}, "strict": False}
    with pytest.raises(InvalidInputTypeError, match="more than 512 characters"):
        run(rename, value=MIX)


@pytest.mark.parametrize("offset", [10**19, -(10**19)])
def test_ids_of_new_names_have_64_bits(offset):
    with pytest.raises(ValidationError, match="new_classes_id_offset"):
        run({"type": "DetectionsRename", "class_map": {}, "new_classes_id_offset": offset}, value=MIX)


def test_the_dictionary_of_no_detections_says_nothing_of_their_image():
    none = run({"type": "DetectionsToDictionary"}, value=detections(placement=Placement.of_upload("image", (320, 240))))
    assert none == {"image": {"width": None, "height": None}, "predictions": []}
