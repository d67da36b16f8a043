from __future__ import annotations

import numpy as np
import pytest

from deployments.models.engines.tensor_types import DTYPES, NAMES, at_the_seam


def test_names_and_types_lead_to_one_another() -> None:
    assert {name: NAMES[dtype] for name, dtype in DTYPES.items()} == {name: name for name in DTYPES}


@pytest.mark.parametrize(
    ("name", "size_bytes"), [("BOOL", 1), ("UINT8", 1), ("INT16", 2), ("FP16", 2), ("FP32", 4), ("INT64", 8)]
)
def test_types_have_the_size_that_the_protocol_gives_them(name: str, size_bytes: int) -> None:
    assert DTYPES[name].itemsize == size_bytes


def test_half_precision_is_seen_as_single_and_the_rest_as_it_is() -> None:
    assert at_the_seam(np.dtype(np.float16)) == np.float32
    assert at_the_seam(np.dtype(np.int64)) == np.int64
