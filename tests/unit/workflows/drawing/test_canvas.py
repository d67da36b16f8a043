from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import detections, image, numbered_pixels
from workflows.drawing.canvas import canvas_of, drawable


def test_a_canvas_is_a_copy_that_may_be_drawn_on():
    given = image(numbered_pixels(6, 4))
    canvas = canvas_of(given)
    canvas[:] = 255
    assert_array_equal(given.pixels, numbered_pixels(6, 4))


def test_the_canvas_of_a_grey_image_is_grey():
    canvas = canvas_of(image(np.full((4, 6), 9, dtype=np.uint8)))
    assert_array_equal(canvas, np.full((4, 6), 9))


def test_nothing_to_draw_is_no_detections():
    assert len(drawable(detections())) == 0


def test_boxes_classes_and_tracks_are_drawable():
    found = drawable(detections([1, 2, 3, 4], tracker_id=np.array([7])))
    assert_array_equal(found.xyxy, [[1, 2, 3, 4]])
    assert (found.tracker_id.tolist(), found.data["class_name"].tolist()) == ([7], ["plate"])
