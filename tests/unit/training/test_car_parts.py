import random

import numpy as np
import pytest

from training.car_parts import emblem, grille, lamp_pair, reflector, tail_lamp

PARTS = (emblem, grille, lamp_pair, reflector, tail_lamp)
GREY = 90


def blank() -> np.ndarray:
    return np.full((120, 160, 3), GREY, np.uint8)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_drawn_where_it_belongs_and_nowhere_else(part):
    for seed in range(20):
        drawn = part(blank(), (80.0, 60.0), 30.0, random.Random(seed))
        changed = np.argwhere((np.abs(drawn.astype(int) - GREY) > 40).any(-1))  # more than the glow of a bulb
        assert len(changed) > 20
        assert (np.abs(changed - [60, 80]) <= 50).all()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_beside_the_picture_leaves_it_as_it_is(part):
    for seed in range(20):
        drawn = part(blank(), (-400.0, -400.0), 30.0, random.Random(seed))
        np.testing.assert_array_equal(drawn, blank())


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_three_pixels_can_be_drawn(part):
    for seed in range(20):
        assert part(blank(), (80.0, 60.0), 3.0, random.Random(seed)).dtype == np.uint8
