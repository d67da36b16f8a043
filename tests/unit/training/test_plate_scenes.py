import random

import numpy as np
import pytest

from training.backgrounds import Frame
from training.plate_renders import PlateFace
from training.plate_scenes import SIDE, cut_photograph, mount

MAGENTA = (255, 0, 255)


def magenta_box(rgb: np.ndarray) -> list[int]:
    """Where a picture is magenta, whatever its white balance: left, top, right, bottom, right and bottom exclusive."""
    tone = rgb.astype(int)
    rows, columns = np.nonzero((tone[..., 0] > 150) & (tone[..., 2] > 150) & (tone[..., 1] < 90))
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def face(width: int = 200, height: int = 50) -> PlateFace:
    lines = np.array([[0, 0, width, height]], np.float32)
    rgb = np.full((height, width, 3), MAGENTA, np.uint8)
    return PlateFace(rgb=rgb, text="A", style="european", text_xyxy=lines[0], lines=("A",), lines_xyxy=lines)


def test_boxes_of_a_cut_photograph_lie_where_the_plates_lie():
    rgb = np.full((720, 1280, 3), 120, np.uint8)
    rgb[400:430, 600:720] = MAGENTA
    frame, seen = Frame(rgb=rgb, plates_xyxy=np.array([[600, 400, 720, 430]], np.float32)), 0
    for seed in range(60):
        scene = cut_photograph(frame, random.Random(seed))
        assert scene.rgb.shape == (SIDE, SIDE, 3)
        hue_kept = (np.abs(scene.rgb.astype(int)[..., 0] - scene.rgb[..., 2]) < 60).all()
        if len(scene.plates_xyxy) and hue_kept:
            np.testing.assert_allclose(scene.plates_xyxy[0], magenta_box(scene.rgb), atol=3)
            seen += 1
    assert seen > 10


def test_a_photograph_without_plates_gives_a_scene_without_plates():
    frame = Frame(rgb=np.full((720, 1280, 3), 120, np.uint8), plates_xyxy=np.zeros((0, 4), np.float32))
    assert cut_photograph(frame, random.Random(1)).plates_xyxy.shape == (0, 4)


def test_a_mounted_plate_lies_in_its_box():
    for seed in range(40):
        rgb, boxes = np.full((SIDE, SIDE, 3), 120, np.uint8), []
        mount(rgb, boxes, face(), (160.0, 160.0), 120.0, random.Random(seed))
        rows, columns = np.nonzero(rgb[..., 0].astype(int) - rgb[..., 1] > 60)
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(boxes[0], found, atol=3)


@pytest.mark.parametrize("at", [(-30.0, 160.0), (160.0, 340.0), (165.0, 160.0)])
def test_no_plate_is_mounted_outside_the_picture_or_over_another(at):
    rgb, boxes = np.full((SIDE, SIDE, 3), 120, np.uint8), []
    mount(rgb, boxes, face(), (160.0, 160.0), 120.0, random.Random(1))
    before = rgb.copy()
    mount(rgb, boxes, face(), at, 120.0, random.Random(2))
    assert len(boxes) == 1
    np.testing.assert_array_equal(rgb, before)
