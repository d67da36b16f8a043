from __future__ import annotations

import json
import math
from datetime import datetime
from enum import StrEnum

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import detections, image, numbered_pixels
from workflows.errors import RuntimeLimitsCausedStepExecutionError
from workflows.kinds import Kind
from workflows.serializers.classification import read_classification
from workflows.serializers.detections import read_detections, write_detections
from workflows.serializers.room import Room
from workflows.serializers.serialize import serialize
from workflows.values.video import VideoMetadata


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (0.5, 0.5),
        ("text", "text"),
        ([1, [2, None]], [1, [2, None]]),
        ((1, 2), [1, 2]),
        ({2: "a", None: "b", True: "c", "d": (1,)}, {"2": "a", "null": "b", "true": "c", "d": [1]}),
        (datetime(2024, 8, 21, 11, 13, 44), "2024-08-21T11:13:44"),
        (b"\x00\x01\x02", "AAEC"),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.zeros((0, 4)), []),
        (Colour.RED, "red"),
        ({Colour.RED: 1}, {"red": 1}),
    ],
)
def test_plain_values_become_json(value, expected):
    written = serialize(value)
    assert written == expected
    assert json.loads(json.dumps(written)) == expected


def test_text_stays_text_and_not_a_subclass():
    assert type(serialize(np.str_("a"))) is str
    assert type(serialize(Colour.RED)) is str


def test_a_secret_is_masked():
    assert serialize("12345678", (Kind.SECRET,)) == "12********78"


def test_a_secret_among_other_kinds_is_masked():
    assert serialize("12345678", (Kind.STRING, Kind.SECRET)) == "12********78"


def test_images_and_detections_are_written_at_any_depth():
    found = detections([80, 70, 120, 90])
    written = serialize({"a": [image(numbered_pixels(4, 4)), None, found]}, (Kind.LIST_OF_VALUES,))
    assert written["a"][0]["type"] == "base64"
    assert written["a"][1] is None
    assert written["a"][2] == write_detections(found)


def test_classifications_are_written():
    sent = {"image": {"width": 4, "height": 4}, "predictions": [], "top": "", "confidence": 0.0}
    assert serialize(read_classification(sent, "c"))["top"] == ""


def test_video_metadata_are_written():
    assert serialize(VideoMetadata.of_still("image"))["video_identifier"] == "image"


@pytest.mark.parametrize(
    ("kinds", "key"),
    [
        ((Kind.INSTANCE_SEGMENTATION_PREDICTION,), "points"),
        ((Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION,), "rle_mask"),
        ((Kind.SEMANTIC_SEGMENTATION_PREDICTION,), "rle_mask"),
        ((Kind.INSTANCE_SEGMENTATION_PREDICTION, Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION), "points"),
        ((Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION, Kind.INSTANCE_SEGMENTATION_PREDICTION), "rle_mask"),
        ((Kind.OBJECT_DETECTION_PREDICTION, Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION), "rle_mask"),
        ((Kind.ANY,), "points"),
    ],
)
def test_the_kind_decides_how_masks_are_written(kinds, key):
    mask = np.zeros((1, 240, 320), dtype=np.bool_)
    mask[0, 1:5, 1:5] = True
    written = serialize(detections([1, 1, 5, 5], masks=mask), kinds)["predictions"][0]
    assert {"points", "rle_mask"} & set(written) == {key}


def test_run_lengths_survive_the_wire():
    mask = np.zeros((1, 240, 320), dtype=np.bool_)
    mask[0, 17:90, 33:150] = True
    kinds = (Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION,)
    written = json.loads(json.dumps(serialize(detections([33, 17, 150, 90], masks=mask), kinds)))
    assert_array_equal(read_detections(written, "segs").masks.arrays(), mask)


def test_a_value_without_a_form_on_the_wire_is_refused():
    with pytest.raises(TypeError, match="object"):
        serialize([object()])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**64 - 1, 2**64 - 1),
        (-(2**63), -(2**63)),
        (2**64, 18446744073709551616.0),
        (-(2**63) - 1, -9223372036854775808.0),
        (10**400, math.inf),
        (-(10**400), -math.inf),
    ],
    ids=["largest", "smallest", "too large", "too small", "far too large", "far too small"],
)
def test_whole_numbers_beyond_64_bits_become_floats(value, expected):
    written = serialize([value])[0]
    assert written == expected
    assert type(written) is type(expected)


def test_what_is_written_takes_room():
    room = Room(100)
    serialize("x" * 90, room=room)
    with pytest.raises(RuntimeLimitsCausedStepExecutionError, match="more than the 100 characters"):
        serialize("x" * 11, room=room)


@pytest.mark.parametrize(
    "value", [[0] * 20, {"k" * 90: 1}, b"x" * 90, image(numbered_pixels(40, 30)), detections([0, 0, 1, 1])]
)
def test_every_sort_of_value_takes_room(value):
    with pytest.raises(RuntimeLimitsCausedStepExecutionError):
        serialize(value, room=Room(100))


def test_lists_that_share_their_elements_are_counted_as_often_as_they_are_written():
    shared = ["x" * 1000] * 1000
    with pytest.raises(RuntimeLimitsCausedStepExecutionError):
        serialize([shared] * 1000, room=Room(10_000_000))


def test_detections_are_moved_at_any_depth():
    moved = serialize({"a": [detections([0, 0, 2, 2])]}, move=lambda found: found.replace(xyxy=found.xyxy + 10))
    assert moved["a"][0]["predictions"][0]["x"] == 11.0
