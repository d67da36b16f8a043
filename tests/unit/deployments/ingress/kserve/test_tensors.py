import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.errors import InvalidRequestError
from deployments.ingress.kserve.tensors import from_bytes, from_list, to_bytes


def test_bytes_are_little_endian_and_in_row_major_order():
    array = from_bytes("x", "INT16", [2, 2], bytes([1, 0, 2, 0, 255, 255, 0, 1]))
    assert_array_equal(array, [[1, 2], [-1, 256]])
    assert array.dtype == np.int16
    assert to_bytes(array) == bytes([1, 0, 2, 0, 255, 255, 0, 1])


def test_half_precision_is_two_bytes():
    assert from_bytes("x", "FP16", [1], bytes([0, 0x3C])).tolist() == [1.0]  # sign 0, exponent 15, fraction 0


@pytest.mark.parametrize("shape", [[0], [0, 3], [2, 0]])
def test_a_tensor_without_elements_is_one(shape):
    assert from_bytes("x", "FP32", shape, b"").shape == tuple(shape)
    assert from_list("x", "FP32", shape, []).shape == tuple(shape)


@pytest.mark.parametrize(
    ("shape", "raw", "message"),
    [
        ([2], b"\0" * 4, "has 4 bytes; FP32 of shape [2] has 8"),
        ([1], b"\0" * 5, "has 5 bytes; FP32 of shape [1] has 4"),
        ([-1], b"", "cannot have the shape [-1]"),
        ([1 << 20, 1 << 20], b"", "cannot have the shape"),
    ],
)
def test_bytes_that_do_not_fit_the_shape_are_refused(shape, raw, message):
    with pytest.raises(InvalidRequestError) as caught:
        from_bytes("x", "FP32", shape, raw)
    assert message in caught.value.message


@pytest.mark.parametrize("datatype", ["BYTES", "BF16", "FLOAT", ""])
def test_types_that_are_not_carried_are_refused_with_those_that_are(datatype):
    for read in (lambda: from_bytes("x", datatype, [1], b"\0"), lambda: from_list("x", datatype, [1], [0])):
        with pytest.raises(InvalidRequestError, match="those that are taken are BOOL, FP16, FP32"):
            read()


@pytest.mark.parametrize("values", [[1, 2, 3, 4], [[1, 2], [3, 4]], [[[1], [2]], [[3], [4]]]])
def test_lists_may_be_flat_or_nested(values):
    assert_array_equal(from_list("x", "UINT8", [2, 2], values), [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("UINT8", [256]),
        ("UINT8", [-1]),
        ("INT32", [1.5]),
        ("FP32", ["1"]),
        ("FP32", [None]),
        ("BOOL", [1]),
        ("FP32", [True]),
        ("INT64", [{}]),
        ("INT8", [1 << 80]),
        ("UINT64", [-1]),
        ("FP64", [True]),
    ],
)
def test_values_of_another_type_are_refused(datatype, values):
    with pytest.raises(InvalidRequestError, match=f"holds something that is no {datatype}"):
        from_list("x", datatype, [1], values)


@pytest.mark.parametrize(
    ("values", "message"),
    [([1, 2, 3], "has 3 elements; shape .* has 4"), ([[1, 2], [3]], "lists of different lengths")],
)
def test_lists_that_do_not_fit_the_shape_are_refused(values, message):
    with pytest.raises(InvalidRequestError, match=message):
        from_list("x", "INT64", [2, 2], values)


@pytest.mark.parametrize("shape", [[1], [12_001]])
def test_one_long_text_among_many_elements_takes_no_memory_of_its_own(shape):
    values = ["a" * 50_000] + [""] * 12_000  # as an array of texts 2.4 GB
    tracemalloc.start()
    with pytest.raises(InvalidRequestError):
        from_list("x", "FP32", shape, values)
    most_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most_bytes < 1_000_000


@pytest.mark.parametrize(("datatype", "value"), [("UINT64", 2**64 - 1), ("INT64", -(2**63)), ("UINT8", 255)])
def test_the_largest_and_the_least_whole_numbers_are_taken(datatype, value):
    assert from_list("x", datatype, [1], [value]).tolist() == [value]


def test_a_truth_value_among_numbers_is_refused():
    with pytest.raises(InvalidRequestError, match="no FP32"):
        from_list("x", "FP32", [2], [True, 1.5])


def test_booleans_and_whole_numbers_as_floats():
    assert from_list("x", "BOOL", [2], [True, False]).tolist() == [True, False]
    assert from_list("x", "FP64", [2], [1, 2]).dtype == np.float64
