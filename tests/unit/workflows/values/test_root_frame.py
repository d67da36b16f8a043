import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import detections, frozen
from workflows.values.detections import KeyPoints
from workflows.values.origin import Origin, Placement
from workflows.values.root_frame import to_own_frame, to_root_frame


def placed(left=0, top=0, wh=(100, 80), scale=1.0):
    return Placement(
        parent=Origin(id="crop", left_px=left, top_px=top, width_px=wh[0], height_px=wh[1]),
        root=Origin(id="image", left_px=left, top_px=top, width_px=wh[0], height_px=wh[1]),
        scale=scale,
    )


def found(*boxes, image_wh=(20, 10), **columns):
    parents = np.array(["crop"] * len(boxes), dtype=np.str_)
    return detections(*boxes, image_wh=image_wh, parent_id=parents, **{"placement": None} | columns)


def test_boxes_move_by_the_place_of_the_window():
    moved = to_root_frame(found([1, 2, 11, 9], placement=placed(30, 40)))
    assert_array_equal(moved.xyxy, [[31, 42, 41, 49]])
    assert moved.image_wh == (100, 80)
    assert list(moved.parent_id) == ["image"]
    assert moved.placement == Placement.of_upload("image", (100, 80))


def test_a_window_of_another_size_in_the_corner_counts_as_another_frame():
    moved = to_root_frame(found([1, 2, 11, 9], placement=placed(0, 0)))
    assert_array_equal(moved.xyxy, [[1, 2, 11, 9]])
    assert list(moved.parent_id) == ["image"]


def test_scale_is_undone_before_the_move():
    moved = to_root_frame(found([2, 4, 12, 8], placement=placed(30, 40, scale=2.0)))
    assert_array_equal(moved.xyxy, [[31, 42, 36, 44]])


def test_detections_on_the_uploaded_image_are_untouched():
    given = found([1, 2, 11, 9], image_wh=(100, 80), placement=placed())
    assert to_root_frame(given) is given


@pytest.mark.parametrize("given", [found([1, 2, 11, 9]), found([1, 2, 3, 4], image_wh=None, placement=placed(5, 5))])
def test_detections_of_unknown_place_are_untouched(given):
    assert to_root_frame(given) is given


def test_key_points_move_and_missing_ones_stay_missing():
    keypoints = KeyPoints(
        xy=frozen(np.array([[[1, 2], [np.nan, np.nan]]])),
        confidence=frozen(np.array([[0.5, 0.0]])),
        class_id=frozen(np.array([[0, 0]])),
        class_name=frozen(np.array([["nose", ""]])),
    )
    moved = to_root_frame(found([1, 2, 11, 9], placement=placed(30, 40), keypoints=keypoints))
    assert_array_equal(moved.keypoints.xy, [[[31, 42], [np.nan, np.nan]]])


def test_masks_are_pasted_onto_the_uploaded_image():
    mask = np.zeros((1, 10, 20), dtype=np.bool_)
    mask[0, 2:4, 1:3] = True
    moved = to_root_frame(found([1, 2, 3, 4], placement=placed(30, 40), masks=mask))
    assert moved.masks.image_wh == (100, 80)
    assert moved.masks.areas_px().tolist() == [4]
    assert moved.masks.array(0)[42:44, 31:33].all()


def test_scaled_masks_shrink_before_they_are_pasted():
    mask = np.ones((1, 10, 20), dtype=np.bool_)
    moved = to_root_frame(found([0, 0, 20, 10], placement=placed(30, 40, scale=2.0), masks=mask))
    assert moved.masks.areas_px().tolist() == [50]
    assert moved.masks.array(0)[40:45, 30:40].all()


def test_no_detections_take_the_size_of_the_uploaded_image():
    moved = to_root_frame(found(placement=placed(30, 40)))
    assert (len(moved), moved.image_wh) == (0, (100, 80))


def test_no_detections_of_forgotten_size_stay_without():
    assert to_root_frame(found(image_wh=None, placement=placed(30, 40))).image_wh is None


def test_in_their_own_frame_no_detections_forget_the_size_of_an_image_that_was_searched():
    assert to_own_frame(found(placement=placed(30, 40))).image_wh is None
    assert to_own_frame(found()).image_wh == (20, 10)
    given = found([1, 2, 3, 4], placement=placed(30, 40))
    assert to_own_frame(given) is given
