import pytest

from workflows.geometry.points import strictly_inside

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]]
NOTCHED = [[0, 0], [10, 0], [10, 10], [5, 5], [0, 10]]


@pytest.mark.parametrize("point", [(5, 5), (0.001, 9.999), (5, 1)])
def test_points_within_a_polygon_are_inside(point):
    assert strictly_inside(point, SQUARE)


@pytest.mark.parametrize("point", [(0, 5), (10, 10), (0, 0), (5, 0), (5, 10)])
def test_the_border_and_the_corners_are_not_inside(point):
    assert not strictly_inside(point, SQUARE)


@pytest.mark.parametrize("point", [(11, 5), (-1, 0), (-5, 10), (5, -3), (20, 10)])
def test_points_elsewhere_are_not_inside(point):
    assert not strictly_inside(point, SQUARE)


@pytest.mark.parametrize(("point", "expected"), [((5, 4.9), True), ((5, 5.1), False), ((2, 7), True), ((5, 5), False)])
def test_a_notch_is_not_part_of_a_polygon(point, expected):
    assert strictly_inside(point, NOTCHED) is expected


def test_the_direction_of_the_corners_does_not_matter():
    assert strictly_inside((5, 5), SQUARE[::-1])


def test_a_corner_level_with_the_point_is_crossed_once():
    assert strictly_inside((2, 5), [[0, 0], [10, 5], [0, 10]])
    assert not strictly_inside((-2, 5), [[0, 0], [10, 5], [0, 10]])


def test_a_polygon_without_area_has_no_inside():
    assert not strictly_inside((5, 5), [[0, 0], [10, 10], [5, 5]])


@pytest.mark.parametrize("point", [[5], "x", None, [1, 2, 3], [[1, 2]]])
def test_a_point_is_a_pair_of_numbers(point):
    with pytest.raises(ValueError, match="pair of numbers"):
        strictly_inside(point, SQUARE)


@pytest.mark.parametrize("polygon", [[], [[0, 0], [1, 1]], "x", [SQUARE], [[0, 0], [1], [2, 2]]])
def test_a_polygon_has_at_least_three_points(polygon):
    with pytest.raises(ValueError, match="at least three points"):
        strictly_inside((5, 5), polygon)
