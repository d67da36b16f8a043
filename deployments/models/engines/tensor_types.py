"""Names of element types in the Open Inference Protocol, which Triton and others speak.

Source: KServe Open Inference Protocol (V2), section "Tensor Data Types".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

DTYPES: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
}
"""By their names; texts (`BYTES`) and bfloat16 (`BF16`) have no fixed-size numpy type and are not carried."""

NAMES: Mapping[np.dtype[Any], str] = {dtype: name for name, dtype in DTYPES.items()}


def at_the_seam(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which callers of an engine see a tensor: half precision stays inside the engine."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype
