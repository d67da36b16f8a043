import datetime
import json

import numpy as np
import pytest

from deployments.ingress.json_codec import encode_json


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.arange(6).reshape(2, 3).T, [[0, 3], [1, 4], [2, 5]]),
        (np.zeros((0, 4)), []),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.str_("plate"), "plate"),
        (b"\x00\xff", "AP8="),
        ({7: "a", 2.5: "b", None: "c", True: "d"}, {"7": "a", "2.5": "b", "null": "c", "true": "d"}),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, 678), "2026-01-02T03:04:05.000678"),
        ({"a": None}, {"a": None}),
        ((1, 2), [1, 2]),
    ],
)
def test_values_are_written_as_clients_expect_them(value, expected):
    assert json.loads(encode_json({"v": value}))["v"] == expected


def test_a_value_without_a_json_form_is_an_error():
    with pytest.raises(TypeError):
        encode_json(object())
