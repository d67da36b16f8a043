from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import detections, image, numbered_pixels
from workflows.blocks.transformation import dynamic_crop
from workflows.blocks.transformation.dynamic_crop import BLOCK, DynamicCrop, paint_background, run
from workflows.errors import RuntimeLimitsCausedStepExecutionError
from workflows.values.detections import KeyPoints

PICTURE = image(numbered_pixels(200, 100))


def crops(found, picture=PICTURE, opacity=0.0, colour=(0, 0, 0)):
    return run(picture, found, opacity, colour)


def test_a_crop_shows_the_pixels_of_its_box():
    (cut,) = crops(detections([10, 20, 14, 23]))
    assert_array_equal(cut["crops"].pixels, PICTURE.pixels[20:23, 10:14])


def test_corners_are_rounded_with_halves_to_even():
    (cut,) = crops(detections([10.5, 19.5, 13.5, 22.5]))
    assert_array_equal(cut["crops"].pixels, PICTURE.pixels[20:22, 10:14])


def test_what_lies_beyond_the_border_is_cut():
    (cut,) = crops(detections([195, 95, 260, 140]))
    assert cut["crops"].wh == (5, 5)


def test_a_crop_goes_by_the_id_of_its_detection_and_knows_its_place():
    (cut,) = crops(detections([10, 20, 14, 23]))
    parent = cut["crops"].placement.parent
    assert (parent.id, parent.left_px, parent.top_px, parent.width_px, parent.height_px) == ("d-0", 10, 20, 200, 100)
    assert cut["crops"].placement.root.id == "image"


def test_a_crop_is_no_frame_of_the_video():
    (cut,) = crops(detections([10, 20, 14, 23]))
    assert (cut["crops"].video.video_identifier, cut["crops"].video.frame_number) == ("d-0", 0)


def test_a_crop_of_a_crop_is_placed_in_the_root():
    (outer,) = crops(detections([10, 20, 90, 80]))
    (inner,) = crops(detections([5, 6, 9, 9]), outer["crops"])
    root = inner["crops"].placement.root
    assert (root.left_px, root.top_px, root.width_px, root.height_px) == (15, 26, 200, 100)


def test_the_detection_moves_into_its_crop_by_whole_pixels():
    (cut,) = crops(detections([10.25, 20.75, 14, 23]))
    assert_array_equal(cut["predictions"].xyxy, [[0.25, -0.25, 4, 2]])


def test_the_moved_detection_still_belongs_to_the_whole_image():
    given = detections([10, 20, 14, 23])
    (cut,) = crops(given)
    assert cut["predictions"].image_wh == given.image_wh
    assert cut["predictions"].placement is given.placement
    assert cut["predictions"].detection_id.tolist() == ["d-0"]


def test_masks_and_key_points_move_too():
    masks = np.zeros((1, 100, 200), dtype=np.bool_)
    masks[0, 21:23, 11:13] = True
    keypoints = KeyPoints(
        xy=np.array([[[11.0, 22.0]]]),
        confidence=np.ones((1, 1)),
        class_id=np.zeros((1, 1), dtype=np.int64),
        class_name=np.array([["nose"]]),
    )
    (cut,) = crops(detections([10, 20, 14, 23], masks=masks, keypoints=keypoints))
    assert_array_equal(cut["predictions"].masks.arrays(), [[[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0]]])
    assert_array_equal(cut["predictions"].keypoints.xy, [[[1, 2]]])


def test_crops_come_in_the_order_of_the_detections():
    cut = crops(detections([50, 50, 60, 60], [0, 0, 5, 5]))
    assert [one["crops"].id for one in cut] == ["d-0", "d-1"]


def test_a_box_without_area_gives_nulls():
    cut = crops(detections([10, 10, 10.4, 20], [200, 0, 220, 10], [0, 0, 2, 2]))
    assert cut[:2] == [{"crops": None, "predictions": None}] * 2
    assert cut[2]["crops"].wh == (2, 2)


def test_no_detections_give_no_crops():
    assert crops(detections()) == []


@pytest.mark.parametrize(
    ("opacity", "expected"), [(1.0, [[[20, 10, 200], [100, 100, 100]]]), (0.5, [[[60, 55, 150], [100, 100, 100]]])]
)
def test_the_background_is_painted_over_outside_the_mask(opacity, expected):
    grey = np.full((1, 2, 3), 100, dtype=np.uint8)
    assert_array_equal(paint_background(grey, np.array([[False, True]]), opacity, (200, 10, 20)), expected)


def test_a_grey_image_becomes_coloured_when_painted_over():
    painted = paint_background(np.full((1, 2), 100, dtype=np.uint8), np.array([[False, True]]), 1.0, "#ff0000")
    assert_array_equal(painted, [[[0, 0, 255], [100, 100, 100]]])


def test_without_masks_nothing_is_painted_over():
    (cut,) = crops(detections([10, 20, 14, 23]), opacity=1.0, colour="#00ff00")
    assert_array_equal(cut["crops"].pixels, PICTURE.pixels[20:23, 10:14])


def test_with_masks_the_background_is_painted_over():
    masks = np.zeros((1, 100, 200), dtype=np.bool_)
    masks[0, 20:23, 10:12] = True
    (cut,) = crops(detections([10, 20, 14, 23], masks=masks), opacity=1.0, colour="#00ff00")
    assert_array_equal(cut["crops"].pixels[:, :2], PICTURE.pixels[20:23, 10:12])
    assert (cut["crops"].pixels[:, 2:] == (0, 255, 0)).all()


def test_a_grey_image_can_be_cut():
    (cut,) = crops(detections([1, 1, 3, 3]), image(np.full((8, 8), 9, dtype=np.uint8)))
    assert cut["crops"].pixels.shape == (2, 2)


def test_old_names_are_accepted():
    step = DynamicCrop.model_validate(
        {"type": "Crop", "name": "c", "image": "$inputs.image", "detections": "$inputs.p"}
    )
    assert (step.images, step.predictions) == ("$inputs.image", "$inputs.p")


def test_crops_are_one_dimension_deeper():
    assert BLOCK.output_offset == 1


def test_crops_that_together_are_many_times_the_image_are_refused(monkeypatch):
    monkeypatch.setattr(dynamic_crop, "MAX_CROPPED_PIXELS", 40_000)
    whole = [0.0, 0.0, 200.0, 100.0]
    assert len(crops(detections(whole, whole))) == 2
    with pytest.raises(RuntimeLimitsCausedStepExecutionError, match="have 40001 pixels together; at most 40000"):
        crops(detections(whole, whole, [199, 99, 900, 900]))


def test_only_what_lies_in_the_image_counts(monkeypatch):
    monkeypatch.setattr(dynamic_crop, "MAX_CROPPED_PIXELS", 1)
    assert len(crops(detections([199, 99, 90_000, 90_000], [300, 0, 90_000, 90_000]))) == 2
