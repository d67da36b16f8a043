from __future__ import annotations

import base64

import cv2
import pytest

from tests.unit.workflows.builders import numbered_pixels
from workflows.errors import RuntimeInputError
from workflows.kinds import Kind
from workflows.serializers.deserialize import READERS, deserialize
from workflows.values.detections import Detections
from workflows.values.image import Image

PICTURE = cv2.imencode(".png", numbered_pixels(6, 4))[1].tobytes()
DETECTIONS = {"image": {"width": 6, "height": 4}, "predictions": []}


def read(value, *kinds, **options):
    given = {"name": "n", "element_id": "n.[0]", "max_pixels": 1000, **options}
    return deserialize(value, kinds, **given)


def test_images_are_read_under_the_name_of_the_element():
    found = read(base64.b64encode(PICTURE).decode(), Kind.IMAGE)
    assert isinstance(found, Image)
    assert found.id == "n.[0]"


def test_images_are_read_from_what_was_fetched():
    assert read("https://a.b/c.png", Kind.IMAGE, fetched={"https://a.b/c.png": PICTURE}).wh == (6, 4)


@pytest.mark.parametrize(
    "kind",
    [
        Kind.OBJECT_DETECTION_PREDICTION,
        Kind.INSTANCE_SEGMENTATION_PREDICTION,
        Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION,
        Kind.KEYPOINT_DETECTION_PREDICTION,
        Kind.SEMANTIC_SEGMENTATION_PREDICTION,
        Kind.QR_CODE_DETECTION,
        Kind.BAR_CODE_DETECTION,
    ],
)
def test_detections_of_every_kind_are_read(kind):
    assert isinstance(read(DETECTIONS, kind), Detections)


@pytest.mark.parametrize("kind", list(Kind))
def test_null_stays_null(kind):
    assert read(None, kind) is None


@pytest.mark.parametrize("kind", sorted(set(Kind) - set(READERS) - {Kind.IMAGE}))
def test_kinds_without_a_reader_take_anything(kind):
    assert read({"a": [1]}, kind) == {"a": [1]}


def test_a_value_may_have_one_of_several_kinds():
    assert read("a", Kind.INTEGER, Kind.STRING) == "a"


@pytest.mark.parametrize("kinds", [("acme", Kind.STRING), (Kind.STRING, Kind.EMBEDDING), (Kind.ANY, Kind.STRING)])
def test_a_kind_without_a_reader_lets_nothing_through_beside_one_that_has_one(kinds):
    assert read("a", *kinds) == "a"
    with pytest.raises(RuntimeInputError, match="text"):
        read(1, *kinds)


def test_no_kind_at_all_takes_anything():
    assert read([1]) == [1]


def test_a_value_of_none_of_the_kinds_is_refused_with_all_reasons():
    with pytest.raises(RuntimeInputError) as caught:
        read([], Kind.INTEGER, Kind.STRING)
    assert "input `n` declared as integer or string" in str(caught.value)
    assert "a whole number" in str(caught.value)
    assert "text" in str(caught.value)


def test_an_undecodable_image_is_an_error_of_the_input():
    with pytest.raises(RuntimeInputError, match="`n` declared as image"):
        read("AAAA", Kind.IMAGE)
