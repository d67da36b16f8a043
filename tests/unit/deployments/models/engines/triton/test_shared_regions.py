from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.engines.triton.shared_regions import (
    SMALLEST_BYTES,
    RegionPool,
    SharedRegion,
    aligned,
)


@pytest.fixture
def pool() -> Iterator[RegionPool]:
    made = RegionPool(most_regions=2)
    yield made
    made.close()


def exists(region: SharedRegion) -> bool:
    return (Path("/dev/shm") / region.name).exists()


def taken(pool: RegionPool, size_bytes: int) -> SharedRegion:
    region, _ = pool.acquire(size_bytes)
    assert region is not None
    return region


@pytest.mark.parametrize(("size_bytes", "expected"), [(0, 0), (1, 64), (64, 64), (65, 128)])
def test_sizes_are_brought_to_where_the_next_tensor_begins(size_bytes: int, expected: int) -> None:
    assert aligned(size_bytes) == expected


def test_what_is_written_is_read_and_the_copy_outlives_the_region() -> None:
    region = SharedRegion(4096)
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    region.write(array, 128)
    read = region.read((2, 3), array.dtype, 128)
    region.unlink()
    assert_array_equal(read, array)
    assert not exists(region)


def test_a_region_that_came_back_is_taken_again(pool: RegionPool) -> None:
    first = taken(pool, 100)
    pool.release(first)
    assert taken(pool, 50) is first
    pool.release(first)


def test_the_smallest_one_that_fits_is_taken(pool: RegionPool) -> None:
    large, small = taken(pool, 10 * SMALLEST_BYTES), taken(pool, 10)
    pool.release(large)
    pool.release(small)
    assert taken(pool, 20) is small
    pool.release(small)


def test_one_that_is_too_small_is_unlinked_for_a_larger_one(pool: RegionPool) -> None:
    small = taken(pool, 10)
    pool.release(small)
    large, outgrown = pool.acquire(SMALLEST_BYTES + 1)
    assert large is not None
    assert (large.size_bytes, outgrown) == (2 * SMALLEST_BYTES, small)
    assert not exists(small)
    pool.release(large)


def test_there_are_no_more_than_allowed_until_a_place_is_free(pool: RegionPool) -> None:
    kept, abandoned = taken(pool, 10), taken(pool, 10)
    assert pool.acquire(10) == (None, None)
    abandoned.unlink()
    assert pool.acquire(10) == (None, None)
    pool.free_place()
    pool.release(taken(pool, 10))
    pool.release(kept)


def test_closing_unlinks_what_is_idle(pool: RegionPool) -> None:
    region = taken(pool, 10)
    pool.release(region)
    assert pool.close() == [region]
    assert not exists(region)
    assert pool.close() == []
