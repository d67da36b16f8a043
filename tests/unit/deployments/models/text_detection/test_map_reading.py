from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from deployments.models.text_detection.map_reading import MAX_REGIONS, MapReading, regions_on_map
from deployments.models.text_detection.text_regions import envelopes

READING = MapReading(pixel_threshold=0.3, region_threshold=0.1, unclip_ratio=1.5)


def blank(height: int = 64, width: int = 128) -> NDArray[np.float32]:
    return np.zeros((height, width), dtype=np.float32)


def with_box(left: int, top: int, right: int, bottom: int, value: float = 0.9) -> NDArray[np.float32]:
    """Right and bottom exclusive."""
    map_ = blank()
    map_[top:bottom, left:right] = value
    map_.flags.writeable = False
    return map_


def boxes(map_: NDArray[np.float32], reading: MapReading = READING) -> NDArray[np.float64]:
    regions = regions_on_map(map_, reading)
    found = envelopes(regions.quads, (map_.shape[1], map_.shape[0]))
    return found[np.lexsort((found[:, 0], found[:, 1]))]


def test_a_map_without_text_has_no_regions() -> None:
    assert len(regions_on_map(blank(), READING)) == 0


def test_a_map_of_one_pixel_has_no_regions() -> None:
    assert len(regions_on_map(np.ones((1, 1), dtype=np.float32), READING)) == 0


def test_a_region_grows_by_its_area_over_its_perimeter() -> None:
    # 40 x 10: area 400, perimeter 100, grown by 400 * 1.5 / 100 = 6 on each side
    assert_allclose(boxes(with_box(30, 20, 70, 30)), [[24, 14, 76, 36]], atol=1e-4)


def test_corners_go_clockwise_from_the_top_left() -> None:
    [quad] = regions_on_map(with_box(30, 20, 70, 30), READING).quads
    assert_allclose(quad, [[24, 14], [76, 14], [76, 36], [24, 36]], atol=1e-4)


def test_growth_beyond_the_map_is_cut_from_the_box() -> None:
    assert_allclose(boxes(with_box(0, 0, 40, 10)), [[0, 0, 46, 16]], atol=1e-4)


def test_the_score_is_the_mean_over_the_region_and_one_row_and_column_more() -> None:
    # 40 x 10 pixels of 0.9 in a window of 41 x 11, the rest of it 0
    [score] = regions_on_map(with_box(30, 20, 70, 30), READING).score
    assert score == pytest.approx(0.9 * 400 / 451, abs=1e-5)


def test_the_score_at_the_border_of_the_map_is_the_mean_of_what_is_there() -> None:
    [score] = regions_on_map(with_box(88, 54, 128, 64), READING).score
    assert score == pytest.approx(0.9, abs=1e-5)


def test_pixels_below_their_threshold_are_no_text() -> None:
    assert len(regions_on_map(with_box(30, 20, 70, 30, value=0.29), READING)) == 0


def test_regions_below_their_threshold_do_not_count() -> None:
    sure = MapReading(pixel_threshold=0.3, region_threshold=0.8, unclip_ratio=1.5)
    assert len(regions_on_map(with_box(30, 20, 70, 30), sure)) == 0  # 0.798, see above
    assert len(regions_on_map(with_box(30, 20, 70, 30, value=0.95), sure)) == 1


def test_specks_and_threads_are_no_text() -> None:
    map_ = blank()
    map_[10, 10:60] = 1
    map_[30:32, 80:82] = 1
    assert len(regions_on_map(map_, READING)) == 0


def test_two_words_joined_by_a_thread_are_two() -> None:
    map_ = blank()
    map_[20:30, 10:40] = 1
    map_[20:30, 60:90] = 1
    map_[25, 40:60] = 1
    assert len(boxes(map_)) == 2


def test_gaps_of_one_pixel_are_closed_where_the_architecture_does_so() -> None:
    map_ = blank()
    map_[20:30, 10:40] = 1
    map_[20:30, 41:71] = 1
    joining = MapReading(pixel_threshold=0.3, region_threshold=0.1, unclip_ratio=0, joins_gaps=True)
    assert len(boxes(map_)) == 2
    # a kernel of two pixels reaches one to the right and one down
    assert_allclose(boxes(map_, joining), [[10, 20, 72, 31]], atol=1e-4)


def turned_box(degrees: float, length: int, height: int) -> NDArray[np.float32]:
    map_ = np.zeros((200, 200), dtype=np.uint8)
    corners = cv2.boxPoints(((100.0, 100.0), (length, height), degrees))
    cv2.fillPoly(map_, [np.rint(corners).astype(np.int32)], 1)
    return map_.astype(np.float32)


@pytest.mark.parametrize("degrees", [-40.0, -20.0, 20.0, 40.0])
def test_a_line_that_rises_or_falls_is_framed_along_itself(degrees: float) -> None:
    [quad] = regions_on_map(turned_box(degrees, 120, 20), READING).quads
    # drawn with its border: 121 x 21, grown by 2541 * 1.5 / 284 = 13.4 on each side; stairs of pixels stand out by one
    along, down = quad[1] - quad[0], quad[3] - quad[0]
    assert np.rad2deg(np.arctan2(along[1], along[0])) == pytest.approx(degrees, abs=1.5)
    assert np.linalg.norm(along) == pytest.approx(121 + 26.8, abs=3)
    assert np.linalg.norm(down) == pytest.approx(21 + 26.8, abs=3)
    assert_allclose(quad.mean(axis=0), [100, 100], atol=1.5)


def test_the_score_of_a_turned_region_leaves_out_what_is_beside_it() -> None:
    [score] = regions_on_map(turned_box(40, 120, 20), READING).score
    assert score == pytest.approx(1, abs=0.01)


def test_a_hardly_tilted_word_stays_upright() -> None:
    [quad] = regions_on_map(turned_box(3, 60, 20), READING).quads
    assert quad[0, 1] == quad[1, 1]


def test_a_map_that_is_all_text_is_one_region() -> None:
    assert_allclose(boxes(np.ones((64, 128), dtype=np.float32)), [[0, 0, 128, 64]])


def test_of_a_map_full_of_specks_the_largest_are_taken() -> None:
    map_ = np.zeros((400, 400), dtype=np.float32)
    for row in range(0, 400, 4):  # 100 x 100 specks of 3 x 3
        map_[row : row + 3] = np.tile([1, 1, 1, 0], 100)
    map_[0:3, 0:40] = 1  # one of them larger
    regions = regions_on_map(map_, READING)
    assert len(regions) == MAX_REGIONS
    assert (regions.quads[:, 1, 0] - regions.quads[:, 0, 0]).max() > 39


def test_a_map_that_is_no_number_shows_nothing() -> None:
    assert len(regions_on_map(np.full((64, 128), np.nan, dtype=np.float32), READING)) == 0
