"""Tensors of the Open Inference Protocol to arrays and back: as bytes, and as lists of JSON.

Source: KServe Open Inference Protocol (V2) "Tensor Data"; Triton Inference Server "Binary Tensor Data Extension".
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.errors import InvalidRequestError
from deployments.ingress.kserve.bodies import check_datatype
from deployments.models.engines.tensor_types import DTYPES

MOST_ELEMENTS = 2**31


def from_bytes(name: str, datatype: str, shape: Sequence[int], raw: bytes | memoryview) -> NDArray[Any]:
    """The tensor whose elements lie in `raw` one after another, little-endian; read-only, not copied.

    Raises:
        InvalidRequestError: an unknown type, or another number of bytes than the shape needs.
    """
    check_datatype(name, datatype)
    dtype = DTYPES[datatype].newbyteorder("<")
    needed = elements(name, shape) * dtype.itemsize
    if len(raw) != needed:
        raise InvalidRequestError(
            f"the tensor {name!r} has {len(raw)} bytes; {datatype} of shape {list(shape)} has {needed}"
        )
    return np.frombuffer(raw, dtype=dtype).astype(DTYPES[datatype], copy=False).reshape(shape)


def from_list(name: str, datatype: str, shape: Sequence[int], values: list[Any]) -> NDArray[Any]:
    """The tensor whose elements stand in a list, flat or nested, in row-major order.

    Raises:
        InvalidRequestError: an unknown type, elements of another one, or not as many as the shape needs.
    """
    check_datatype(name, datatype)
    dtype = DTYPES[datatype]
    try:
        given = np.array(values)
    except ValueError as error:
        raise InvalidRequestError(f"the data of tensor {name!r} is a list of lists of different lengths") from error
    count = elements(name, shape)
    if given.size != count:
        raise InvalidRequestError(f"the tensor {name!r} has {given.size} elements; shape {list(shape)} has {count}")
    if not _fits(given, dtype):
        raise InvalidRequestError(f"the data of tensor {name!r} holds something that is no {datatype}")
    return given.astype(dtype).reshape(shape)


def to_bytes(array: NDArray[Any]) -> bytes:
    """The elements one after another, little-endian."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def elements(name: str, shape: Sequence[int]) -> int:
    """How many elements a tensor of this shape has.

    Raises:
        InvalidRequestError: a negative length, or more than any request could carry.
    """
    count = prod(shape)
    if any(length < 0 for length in shape) or count > MOST_ELEMENTS:
        raise InvalidRequestError(f"the tensor {name!r} cannot have the shape {list(shape)[:16]}")
    return count


def _fits(given: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    if given.size == 0:
        return True
    if given.dtype.kind not in "biuf":  # texts, nulls, objects
        return False
    if dtype.kind == "b" or given.dtype.kind == "b":
        return dtype.kind == given.dtype.kind
    if dtype.kind == "f":
        return True
    limits = np.iinfo(dtype)
    return given.dtype.kind in "iu" and int(given.min()) >= limits.min and int(given.max()) <= limits.max
