import base64
from datetime import datetime

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from tests.unit.workflows.query.chains import chain, run
from tests.unit.workflows.query.values import image
from workflows.errors import ImageDecodeError, InvalidInputTypeError, OperationError
from workflows.query.language import works_on_pixels
from workflows.values.image import Image
from workflows.values.origin import Placement
from workflows.values.video import VideoMetadata

NO_PICTURE = Image(
    placement=Placement.of_upload("image", (40, 30)),
    video=VideoMetadata.of_still("image"),
    wh=(40, 30),
    encoded=b"no picture at all",
)


@pytest.mark.parametrize(
    ("name", "expected"), [("size", 1200), ("height", 30), ("width", 40), ("aspect_ratio", 40 / 30)]
)
def test_sizes_are_told_without_decoding(name, expected):
    assert run({"type": "ExtractImageProperty", "property_name": name}, value=NO_PICTURE) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("frame_number", 31), ("seconds_since_start", 1.2), ("frame_timestamp", datetime(2024, 1, 2))],
)
def test_the_place_in_a_video_is_told(name, expected):
    frame = image(frame_number=31, fps=25.0, frame_timestamp=datetime(2024, 1, 2))
    assert run({"type": "ExtractFrameMetadata", "property_name": name}, value=frame) == expected


def test_a_still_image_lies_one_frame_before_the_start():
    operation = {"type": "ExtractFrameMetadata", "property_name": "seconds_since_start"}
    assert run(operation, value=image()) == pytest.approx(-1 / 30)


def test_a_video_without_a_frame_rate_has_no_time():
    with pytest.raises(OperationError, match="frames a second"):
        run(
            {"type": "ExtractFrameMetadata", "property_name": "seconds_since_start"},
            value=image(frame_number=1, fps=0.0),
        )


def test_a_jpeg_shows_the_image_and_lower_quality_is_smaller():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    fine = run({"type": "ConvertImageToJPEG"}, value=image(noise))
    coarse = run({"type": "ConvertImageToJPEG", "compression_level": 10}, value=image(noise))
    assert fine[:3] == coarse[:3] == b"\xff\xd8\xff"
    assert len(coarse) < len(fine)
    assert cv2.imdecode(np.frombuffer(fine, np.uint8), cv2.IMREAD_COLOR).shape == (64, 64, 3)


def test_an_uploaded_image_becomes_the_base64_of_its_own_bytes():
    assert base64.b64decode(run({"type": "ConvertImageToBase64"}, value=NO_PICTURE)) == b"no picture at all"


def test_an_image_that_a_step_made_becomes_the_base64_of_a_jpeg():
    assert base64.b64decode(run({"type": "ConvertImageToBase64"}, value=image()))[:3] == b"\xff\xd8\xff"


def test_an_image_that_cannot_be_decoded_is_no_fault_of_the_operation():
    with pytest.raises(ImageDecodeError, match="could not be decoded"):
        run({"type": "ConvertImageToJPEG"}, value=NO_PICTURE)


@pytest.mark.parametrize("level", [0, 101])
def test_quality_goes_from_1_to_100(level):
    with pytest.raises(ValidationError, match="compression_level"):
        chain({"type": "ConvertImageToJPEG", "compression_level": level})


@pytest.mark.parametrize(
    "operation",
    [
        {"type": "ExtractImageProperty", "property_name": "width"},
        {"type": "ExtractFrameMetadata", "property_name": "frame_number"},
        {"type": "ConvertImageToJPEG"},
        {"type": "ConvertImageToBase64"},
    ],
)
@pytest.mark.parametrize("value", ["x", {"a": 1}, None])
def test_other_values_are_refused(operation, value):
    with pytest.raises(InvalidInputTypeError, match="takes an image"):
        run(operation, value=value)


def test_only_chains_that_encode_work_on_pixels():
    encode = {"type": "ConvertImageToJPEG"}
    assert works_on_pixels(chain(encode))
    assert works_on_pixels(chain({"type": "SequenceApply", "operations": [encode]}))
    assert not works_on_pixels(chain({"type": "ExtractImageProperty", "property_name": "size"}))
    assert not works_on_pixels(chain())
