from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.engines.engine import TensorSpec
from deployments.models.engines.triton.run_layout import RunLayout, part_bounds
from deployments.models.engines.triton.shared_regions import SharedRegion

FLOAT = np.dtype(np.float32)
KNOWN = TensorSpec(name="boxes", shape=(None, 5, 4), dtype=FLOAT)
UNKNOWN = TensorSpec(name="kept", shape=(None, None), dtype=np.dtype(np.int64))
BATCH = np.arange(3 * 10, dtype=np.float32).reshape(3, 10)


@pytest.fixture
def region() -> Iterator[SharedRegion]:
    made = SharedRegion(4096)
    yield made
    made.unlink()


def memory_of(tensor: object) -> tuple[int, int]:
    """Offset and size in the region, from the message of the protocol."""
    parameters = tensor._get_tensor().parameters
    offset = parameters["shared_memory_offset"].int64_param if "shared_memory_offset" in parameters else 0
    return offset, parameters["shared_memory_byte_size"].int64_param


@pytest.mark.parametrize(
    ("size", "largest", "expected"),
    [(0, 4, []), (1, 4, [(0, 1)]), (4, 4, [(0, 4)]), (9, 4, [(0, 4), (4, 8), (8, 9)]), (None, 0, [(0, 0)])],
)
def test_a_batch_is_cut_at_the_largest(size: int | None, largest: int, expected: list[tuple[int, int]]) -> None:
    assert part_bounds(size, largest) == expected


def test_inputs_lie_first_and_only_outputs_of_known_size_follow() -> None:
    # 120 bytes of input up to 128, then 3 * 5 * 4 * 4 = 240 bytes of output up to 256
    assert RunLayout({"images": BATCH}, [KNOWN, UNKNOWN], batched=True).size_bytes == 384


def test_a_part_of_a_batch_lies_where_its_elements_are(region: SharedRegion) -> None:
    layout = RunLayout({"images": BATCH}, [KNOWN, UNKNOWN], batched=True)
    (image,) = layout.inputs(1, 3, region)
    known, unknown = layout.requested(1, 3, region)
    assert (image.shape(), memory_of(image)) == ([2, 10], (40, 80))
    assert memory_of(known) == (128 + 80, 160)
    assert memory_of(unknown) == (0, 0)


def test_without_a_batch_tensors_travel_whole(region: SharedRegion) -> None:
    fixed = TensorSpec(name="twice", shape=(3, 10), dtype=FLOAT)
    layout = RunLayout({"x": BATCH}, [fixed, UNKNOWN], batched=False)
    (image,) = layout.inputs(0, 0, region)
    twice, _ = layout.requested(0, 0, region)
    assert (image.shape(), memory_of(image), memory_of(twice)) == ([3, 10], (0, 120), (128, 120))


def test_inputs_are_written_and_outputs_read_where_they_lie(region: SharedRegion) -> None:
    layout = RunLayout({"images": BATCH}, [KNOWN, UNKNOWN], batched=True)
    layout.write(region)
    assert_array_equal(region.read((3, 10), FLOAT, 0), BATCH)
    region.write(np.full((3, 5, 4), 7, dtype=np.float32), 128)
    assert_array_equal(layout.output_in(region, KNOWN), np.full((3, 5, 4), 7))
    assert layout.output_in(region, UNKNOWN) is None


def test_in_messages_each_part_carries_its_own_elements() -> None:
    layout = RunLayout({"images": BATCH}, [KNOWN], batched=True)
    (image,) = layout.inputs(2, 3, None)
    assert (image.shape(), image._get_content()) == ([1, 10], BATCH[2:].tobytes())
