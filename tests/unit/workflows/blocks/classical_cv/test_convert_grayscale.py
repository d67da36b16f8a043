from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import image
from workflows.blocks.classical_cv.convert_grayscale import run


def test_brightness_is_weighed_by_colour():
    blue_green_red_white = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    # ITU-R BT.601: 0.299 red, 0.587 green, 0.114 blue
    assert_array_equal(run(image(blue_green_red_white))["image"].pixels, [[29, 150, 76, 255]])


def test_the_image_keeps_its_identity():
    given = image(np.zeros((2, 2, 3), dtype=np.uint8), "image.[1]")
    found = run(given)["image"]
    assert (found.id, found.video) == ("image.[1]", given.video)


def test_a_grey_image_stays_as_it_is():
    given = image(np.zeros((2, 2), dtype=np.uint8))
    assert run(given)["image"] is given
