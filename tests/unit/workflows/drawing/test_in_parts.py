from __future__ import annotations

import time
from contextlib import ExitStack

import numpy as np
import pytest
import supervision as sv
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import detections
from workflows.drawing.canvas import drawable
from workflows.drawing.in_parts import PART, draw_in_parts
from workflows.errors import DeadlineExceededError
from workflows.values.time_left import work_until

MANY = 2 * PART + 3
COLOURS = sv.ColorPalette([sv.Color(red, 0, 255 - red) for red in range(100, 207)])


def things(count: int = MANY) -> sv.Detections:
    corners = [[x := 7 * (index % 23), y := 25 * (index // 23), x + 40, y + 30] for index in range(count)]
    return drawable(detections(*corners, class_id=np.arange(count) % 5, tracker_id=np.arange(count) * 3))


def canvas():
    return np.zeros((240, 320, 3), dtype=np.uint8)


@pytest.mark.parametrize("axis", list(sv.ColorLookup))
@pytest.mark.parametrize("count", [0, 1, PART, PART + 1, MANY])
def test_a_picture_drawn_in_parts_is_the_one_drawn_at_once(axis, count):
    boxes = sv.BoxAnnotator(color=COLOURS, color_lookup=axis)
    texts = sv.LabelAnnotator(color=COLOURS, color_lookup=axis, text_scale=0.3)
    labels = [f"car {index}" for index in range(count)]
    at_once = texts.annotate(boxes.annotate(canvas(), things(count)), things(count), labels)
    in_parts = draw_in_parts(texts, draw_in_parts(boxes, canvas(), things(count)), things(count), labels)
    assert_array_equal(in_parts, at_once)


def test_drawing_stops_between_two_parts_when_time_is_over():
    sizes, late = [], ExitStack()

    class Slow:
        color_lookup = sv.ColorLookup.CLASS

        def annotate(self, scene, detections):
            sizes.append(len(detections))
            late.enter_context(work_until(time.time() - 1))
            return scene

    with late, pytest.raises(DeadlineExceededError):
        draw_in_parts(Slow(), canvas(), things())
    assert sizes == [PART]
