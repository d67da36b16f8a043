"""Points and the polygons around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def strictly_inside(point: ArrayLike, polygon: ArrayLike) -> bool:
    """Whether a point lies in the inside of a polygon, its border excluded.

    Where edges cross one another the even-odd rule decides. A polygon of no area has no inside.

    Args:
        point: x, y.
        polygon: (n, 2) corners in order, n >= 3; the last is joined to the first.

    Raises:
        ValueError: the point is no pair of numbers, or the polygon no list of at least three such pairs.
    """
    position = _numbers(point, "a point is a pair of numbers [x, y]")
    corners = _numbers(polygon, "a zone is a list of at least three points [x, y]")
    if position.shape != (2,):
        raise ValueError(f"a point is a pair of numbers [x, y], got an array of shape {position.shape}")
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3:
        raise ValueError(f"a zone is a list of at least three points [x, y], got an array of shape {corners.shape}")
    from_here = corners - position
    to_next = np.roll(from_here, -1, axis=0)
    if _touches(from_here, to_next):
        return False
    return _crossings(from_here, to_next) % 2 == 1


def _numbers(value: ArrayLike, expected: str) -> NDArray[np.float64]:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{expected}: {error}") from error


def _touches(start: NDArray[np.float64], end: NDArray[np.float64]) -> bool:
    """Whether the origin lies on one of the edges."""
    cross = start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]
    between = (start * end).sum(axis=1) <= 0
    return bool(np.any((cross == 0) & between))


def _crossings(start: NDArray[np.float64], end: NDArray[np.float64]) -> int:
    """How many edges cross the ray from the origin to the right; a corner on the ray belongs to the edge above it."""
    straddles = (start[:, 1] > 0) != (end[:, 1] > 0)
    cross = start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]
    on_the_right = (cross > 0) == (end[:, 1] > start[:, 1])
    return int(np.count_nonzero(straddles & on_the_right))
