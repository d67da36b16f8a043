"""Tensors of the Open Inference Protocol to arrays and back: as bytes, and as lists of JSON.

Source: KServe Open Inference Protocol (V2) "Tensor Data"; Triton Inference Server "Binary Tensor Data Extension".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
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
    # Whatever stands in the list, numpy would make one type of it: of one long text among many, rows as long as that.
    given = _flat(name, values)
    count = elements(name, shape)
    if len(given) != count:
        raise InvalidRequestError(f"the tensor {name!r} has {len(given)} elements; shape {list(shape)} has {count}")
    if not _fits(given, dtype):
        raise InvalidRequestError(f"the data of tensor {name!r} holds something that is no {datatype}")
    return np.array(given, dtype=dtype).reshape(shape)


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


def _flat(name: str, values: list[Any]) -> list[Any]:
    """The elements of a list of lists that are equally long on each level, in row-major order."""
    while list in (kinds := set(map(type, values))):
        if len(kinds) > 1 or len(set(map(len, values))) > 1:
            raise InvalidRequestError(f"the data of tensor {name!r} is a list of lists of different lengths")
        values = list(chain.from_iterable(values))
    return values


def _fits(given: list[Any], dtype: np.dtype[Any]) -> bool:
    """Whether all are numbers that the type can hold, or truth values where it is one."""
    kinds = set(map(type, given))
    if not kinds:
        return True
    if dtype.kind == "b":
        return kinds == {bool}
    if dtype.kind == "f":
        return kinds <= {int, float}
    limits = np.iinfo(dtype)
    return kinds == {int} and min(given) >= limits.min and max(given) <= limits.max
