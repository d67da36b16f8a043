import random

import numpy as np
import pytest

from training.plate_batches import SIDES, cut_scene, varied
from training.plate_scenes import SIDE

NONE = np.zeros((0, 4), np.float32)


def scene() -> tuple[np.ndarray, np.ndarray]:
    rgb = np.zeros((SIDE, SIDE, 3), np.uint8)
    rgb[100:120, 60:140] = 255
    return rgb, np.array([[60, 100, 140, 120], [0, 0, 0, 0]], np.float32)  # the second row is a pool's filling


def bright_box(rgb: np.ndarray) -> list[int]:
    rows, columns = np.nonzero(rgb[..., 1] > 120)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("side", list(SIDES))
def test_boxes_of_a_part_lie_where_its_plates_lie(side):
    seen = 0
    for seed in range(40):
        rgb, boxes = cut_scene(*scene(), side, random.Random(seed))
        assert rgb.shape == (side, side, 3)
        assert len(boxes) <= 1
        if len(boxes):
            np.testing.assert_allclose(boxes[0], bright_box(rgb), atol=3)
            seen += 1
    assert seen > 20


def test_a_scene_without_plates_gives_parts_without_plates():
    rgb, boxes = cut_scene(scene()[0], NONE, 192, random.Random(1))
    assert (rgb.shape, boxes.shape) == ((192, 192, 3), (0, 4))


def test_boxes_follow_a_picture_that_is_varied():
    rgb = np.full((192, 192, 3), 20, np.uint8)
    rgb[50:60, 20:70] = 240
    for seed in range(60):
        changed, boxes = varied(rgb, np.array([[20, 50, 70, 60]], np.float32), random.Random(seed))
        rows, columns = np.nonzero(changed[..., 1] > changed[55, int(boxes[0, 0]) + 5, 1] - 20)
        inside = (rows >= boxes[0, 1]) & (rows < boxes[0, 3]) & (columns >= boxes[0, 0]) & (columns < boxes[0, 2])
        assert inside.sum() == 500, "the plate is where its box says, whole and nowhere covered"


def test_the_pool_is_not_written_to():
    rgb, boxes = scene()
    rgb.setflags(write=False)
    boxes.setflags(write=False)
    for seed in range(40):
        varied(*cut_scene(rgb, boxes, 320, random.Random(seed)), random.Random(seed))
