import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from workflows.geometry.masks import outline
from workflows.geometry.run_lengths import compress
from workflows.values.masks import Masks


def some(seed=0, count=5, wh=(23, 17)):
    """(n, h, w) blobs of random size and place; the first without pixels, the second everywhere."""
    random = np.random.default_rng(seed)
    arrays = np.zeros((count, wh[1], wh[0]), dtype=np.bool_)
    arrays[1] = True
    for array in arrays[2:]:
        left, top = random.integers(0, wh[0] - 3), random.integers(0, wh[1] - 3)
        array[top : top + random.integers(2, 9), left : left + random.integers(2, 12)] = True
        array &= random.random(array.shape) < 0.8
    arrays.flags.writeable = False
    return arrays


def test_masks_come_back_as_they_were():
    assert_array_equal(Masks.of_arrays(some()).arrays(), some())


def test_a_window_is_as_small_as_its_pixels_allow():
    array = np.zeros((1, 10, 20), dtype=np.bool_)
    array[0, 3:5, 7:16] = True
    masks = Masks.of_arrays(array)
    assert masks.windows_ltwh.tolist() == [[7, 3, 9, 2]]
    assert [len(bits) for bits in masks.bits] == [3]  # 18 pixels


def test_none_are_none():
    masks = Masks.of_arrays(np.zeros((0, 4, 6), dtype=np.bool_))
    assert (len(masks), masks.image_wh, masks.windows_ltwh.shape) == (0, (6, 4), (0, 4))
    assert masks.arrays().shape == (0, 4, 6)
    assert masks.areas_px().shape == (0,)


def test_a_mask_without_pixels_has_no_outline():
    masks = Masks.of_arrays(some())
    assert masks.outline(0) is None
    assert masks.windows_ltwh[0].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("index", [np.array([3, 1]), np.array([False, True, False, True, True])])
def test_selected_masks_keep_the_order_of_the_index(index):
    assert_array_equal(Masks.of_arrays(some()).select(index).arrays(), some()[index])


def test_areas_are_counted():
    assert_array_equal(Masks.of_arrays(some()).areas_px(), some().sum(axis=(1, 2)))


@pytest.mark.parametrize("outer", [False, True])
def test_the_outline_of_a_window_is_that_of_the_whole(outer):
    masks = Masks.of_arrays(some(1))
    for position, array in enumerate(some(1)):
        if position:
            assert_array_equal(masks.outline(position, outer=outer), outline(array, outer=outer))


def test_run_lengths_are_those_of_the_whole():
    masks = Masks.of_arrays(some(2))
    assert [masks.run_lengths(position) for position in range(5)] == [compress(array) for array in some(2)]


@pytest.mark.parametrize("corners", [(3, 2, 15, 11), (-9, -9, -2, -3), (5, 5, 5, 9), (0, 0, 99, 99), (9, 3, 4, 9)])
def test_a_part_is_cut_as_numpy_slices(corners):
    left, top, right, bottom = corners
    expected = some()[:, top:bottom, left:right]
    cut = Masks.of_arrays(some()).cut(corners)
    assert cut.image_wh == expected.shape[:0:-1]
    assert_array_equal(cut.arrays(), expected)


def test_moved_masks_lie_at_their_place_and_what_is_outside_is_lost():
    moved = Masks.of_arrays(np.ones((1, 4, 4), dtype=np.bool_)).moved(-2, 8, (12, 10))
    expected = np.zeros((10, 12), dtype=np.bool_)
    expected[8:10, 0:2] = True
    assert_array_equal(moved.arrays(), [expected])


@pytest.mark.parametrize(("dx", "dy"), [(12, 0), (-4, 0), (0, 10), (0, -4)])
def test_masks_moved_outside_have_no_pixels(dx, dy):
    assert not Masks.of_arrays(np.ones((1, 4, 4), dtype=np.bool_)).moved(dx, dy, (12, 10)).arrays().any()


def test_scaled_masks_take_the_value_of_the_pixel_they_lie_in():
    scaled = Masks.of_arrays(np.array([[[True, False], [False, True]]])).scaled(2)
    assert_array_equal(scaled.arrays(), [np.kron(np.eye(2), np.ones((2, 2)))])


def test_masks_travel_as_small_as_they_are_kept():
    array = np.zeros((20, 720, 1280), dtype=np.bool_)
    array[:, 100:300, 200:500] = True
    travelling = pickle.dumps(Masks.of_arrays(array), protocol=5)
    assert len(travelling) < 20 * (200 * 300 // 8) + 2000
    assert_array_equal(pickle.loads(travelling).array(19), array[19])


def test_windows_that_are_not_one_for_each_mask_are_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 4\), got \(2, 4\)"):
        Masks(image_wh=(4, 4), windows_ltwh=np.zeros((2, 4), dtype=np.int32), bits=(b"",))
