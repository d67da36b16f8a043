from __future__ import annotations

import base64
from datetime import datetime

import cv2
import numpy as np
import pytest

from tests.unit.workflows.builders import image, numbered_pixels
from workflows.errors import ImageDecodeError, RuntimeInputError
from workflows.serializers.image import image_url, read_image, write_image
from workflows.values.image_codec import decode_pixels


def encoded(extension: str = ".png", width: int = 30, height: int = 20) -> bytes:
    return cv2.imencode(extension, numbered_pixels(width, height))[1].tobytes()


TEXT = base64.b64encode(encoded()).decode()
ORIGIN = {"offset_x": 10, "offset_y": 20, "width": 400, "height": 300}
ROOT_ORIGIN = {"offset_x": 110, "offset_y": 120, "width": 800, "height": 600}


def read(value, image_id="image", **options):
    return read_image(value, image_id, **{"max_pixels": 10_000, **options})


@pytest.mark.parametrize(
    "value",
    [
        TEXT,
        f"data:image/png;base64,{TEXT}",
        {"value": TEXT},
        {"type": "base64", "value": TEXT},
        {"type": "BASE64", "value": f"data:image/png;base64,{TEXT}"},
        "\n".join(TEXT[at : at + 76] for at in range(0, len(TEXT), 76)),
    ],
    ids=["text", "data URI", "no type", "object", "object with data URI", "wrapped lines"],
)
def test_base64_in_any_form_is_the_picture(value):
    found = read(value)
    assert found.wh == (30, 20)
    assert found.encoded == encoded()


def test_an_image_is_named_after_its_input_element():
    found = read(TEXT, "image.[1]")
    assert (found.id, found.placement.root.id, found.video.video_identifier) == ("image.[1]",) * 3


def test_reading_does_not_decode():
    damaged = base64.b64encode(encoded()[:60]).decode()  # the header and no more
    assert read(damaged).wh == (30, 20)


def test_an_unmodified_image_is_answered_in_the_clients_own_text():
    uri = f"data:image/png;base64,{TEXT}"
    assert write_image(read({"type": "base64", "value": uri}))["value"] == uri


def test_an_uploaded_image_says_nothing_of_parents():
    written = write_image(read(TEXT))
    assert set(written) == {"type", "value", "video_metadata"}
    assert written["type"] == "base64"


def test_a_still_image_is_frame_zero_of_itself():
    written = write_image(read(TEXT, "image.[0]"))["video_metadata"]
    assert datetime.fromisoformat(written.pop("frame_timestamp")).tzinfo is None
    assert written == {
        "video_identifier": "image.[0]",
        "frame_number": 0,
        "fps": 30.0,
        "measured_fps": None,
        "comes_from_video_file": None,
        "total_frames": None,
    }


def test_a_changed_image_is_answered_as_jpeg():
    written = write_image(read(TEXT).with_pixels(np.zeros((20, 30, 3), dtype=np.uint8)))
    assert base64.b64decode(written["value"]).startswith(b"\xff\xd8\xff")


def test_a_window_says_where_it_was_cut_out():
    window = read(TEXT).window("d-1", (10, 5, 20, 15))
    written = write_image(window)
    assert decode_pixels(base64.b64decode(written["value"])).shape == (10, 10, 3)
    place = {"offset_x": 10, "offset_y": 5, "width": 30, "height": 20}
    assert (written["parent_id"], written["parent_origin"]) == ("d-1", place)
    assert (written["root_parent_id"], written["root_parent_origin"]) == ("image", place)


def test_a_window_of_a_window_adds_up_to_its_place_in_the_root():
    written = write_image(read(TEXT).window("a", (10, 5, 30, 20)).window("b", (3, 2, 9, 9)))
    assert written["parent_origin"] == {"offset_x": 3, "offset_y": 2, "width": 20, "height": 15}
    assert written["root_parent_origin"] == {"offset_x": 13, "offset_y": 7, "width": 30, "height": 20}


def test_the_place_that_a_client_sends_is_kept():
    sent = {
        "value": TEXT,
        "parent_id": "crop-1",
        "parent_origin": ORIGIN,
        "root_parent_id": "frame",
        "root_parent_origin": ROOT_ORIGIN,
    }
    written = write_image(read(sent))
    assert {key: written[key] for key in sent} == sent
    assert written["video_metadata"]["video_identifier"] == "crop-1"


def test_a_parent_without_a_root_is_its_own_root():
    found = read({"value": TEXT, "parent_id": "par", "parent_origin": ORIGIN})
    root = found.placement.root
    assert (root.id, root.left_px, root.top_px, root.width_px, root.height_px) == ("par", 10, 20, 400, 300)


def test_video_metadata_of_the_client_are_kept():
    sent = {
        "video_identifier": "cam",
        "frame_number": 7,
        "frame_timestamp": "2024-08-21T11:13:44.313999",
        "fps": 23.5,
        "measured_fps": 20.0,
        "comes_from_video_file": False,
        "total_frames": 90,
    }
    assert write_image(read({"value": TEXT, "video_metadata": sent}))["video_metadata"] == sent


def test_a_grey_image_is_answered_with_one_channel():
    written = write_image(image(np.full((4, 6), 9, dtype=np.uint8)))
    stored = cv2.imdecode(np.frombuffer(base64.b64decode(written["value"]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert stored.shape == (4, 6)


@pytest.mark.parametrize("text", ["AAAA", "", "no picture!", "data:image/png;base64,", "A"])
def test_text_that_is_no_picture_is_refused(text):
    with pytest.raises(ImageDecodeError):
        read(text)


def test_a_picture_that_is_too_large_is_refused():
    with pytest.raises(ImageDecodeError, match="30x20"):
        read(TEXT, max_pixels=599)


def test_a_picture_of_exactly_the_limit_is_accepted():
    assert read(TEXT, max_pixels=600).wh == (30, 20)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5, "int"),
        ([TEXT], "list"),
        ({"type": "base64"}, "value"),
        ({"type": "numpy", "value": TEXT}, "numpy"),
        ({"type": "file", "value": "/etc/hostname"}, "file"),
        ({"type": "pil", "value": TEXT}, "pil"),
        ({"type": "base64", "value": 7}, "value"),
        ({"value": TEXT, "parent_origin": {"offset_x": 1}}, "parent_origin"),
        ({"value": TEXT, "video_metadata": {"frame_number": 3}}, "video_identifier"),
        ("http://example.com/a.png", "https"),
        ({"type": "url", "value": "ftp://example.com/a.png"}, "https"),
        ("https://example.com/a.png", "not fetched"),
    ],
)
def test_what_is_no_image_is_refused_by_name(value, said):
    with pytest.raises(RuntimeInputError, match=said) as caught:
        read(value, "image.[2]")
    assert "image.[2]" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://example.com/a.png", "https://example.com/a.png"),
        ("HTTPS://example.com/a.png", "HTTPS://example.com/a.png"),
        ({"value": "https://example.com/a.png"}, "https://example.com/a.png"),
        ({"type": "URL", "value": "https://example.com/a.png"}, "https://example.com/a.png"),
        (TEXT, None),
        ({"type": "base64", "value": TEXT}, None),
        ({"type": "url"}, None),
        (None, None),
        (3, None),
    ],
)
def test_only_addresses_have_to_be_fetched(value, expected):
    assert image_url(value) == expected


def test_a_fetched_image_is_read_from_what_the_address_answered():
    found = read({"type": "url", "value": "https://example.com/a.png"}, fetched=encoded(".jpg", 8, 9))
    assert found.wh == (8, 9)
    assert base64.b64decode(write_image(found)["value"]) == encoded(".jpg", 8, 9)
