import asyncio
import base64
import io
import pickle

import cv2
import numpy as np
import PIL.Image
import pytest

from deployments.dataplane.admission import Admission
from deployments.dataplane.image_inputs import ImageInputs
from deployments.errors import ImageInputError, PayloadTooLargeError
from deployments.settings import AdmissionLimits, IngressSettings


def lying_jpeg():
    """10 x 5 pixels that are to be turned to 5 x 10."""
    file, exif = io.BytesIO(), PIL.Image.Exif()
    exif[0x0112] = 6
    PIL.Image.new("RGB", (10, 5)).save(file, "JPEG", exif=exif)
    return file.getvalue()


PNG = cv2.imencode(".png", np.zeros((5, 10, 3), dtype=np.uint8))[1].tobytes()
TEXT = base64.b64encode(PNG).decode()
LYING_JPEG = lying_jpeg()
URL = "https://images.example.com/a.png"


class Fetcher:
    """Knows one address."""

    def __init__(self, content=PNG, error=None):
        self.content, self.error = content, error

    async def fetch(self, url, count):
        if self.error is not None:
            raise self.error
        assert url == URL
        count(len(self.content))
        return self.content


def inputs(fetcher=None, admission=None, max_request_pixels=1000, **settings):
    return ImageInputs(
        IngressSettings(max_images=2, **settings),
        fetcher,
        admission or Admission(AdmissionLimits()),
        max_request_pixels=max_request_pixels,
    )


@pytest.mark.parametrize(
    "value",
    [
        {"type": "base64", "value": TEXT},
        {"type": "BASE64", "value": TEXT, "more": 1},
        {"value": TEXT},
        {"type": "base64", "value": f"data:image/png;base64,{TEXT}"},
        PNG,
        {"type": "url", "value": URL},
    ],
)
async def test_an_image_is_read_however_it_came(value):
    (image,) = await inputs(Fetcher()).read_all([value])
    assert image.wh == (10, 5)
    assert image.encoded == PNG


@pytest.mark.parametrize("as_file", [True, False])
@pytest.mark.parametrize(("auto_orient", "wh"), [(True, (5, 10)), (False, (10, 5))])
async def test_pictures_lie_as_their_camera_did_unless_that_is_not_wanted(as_file, auto_orient, wh):
    value = LYING_JPEG if as_file else {"type": "base64", "value": base64.b64encode(LYING_JPEG).decode()}
    (image,) = await inputs().read_all([value], auto_orient=auto_orient)
    there = pickle.loads(pickle.dumps(image))
    assert (image.wh, there.wh) == (wh, wh)
    assert image.pixels.shape == there.pixels.shape == (wh[1], wh[0], 3)


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        [],
        {},
        {"type": "base64"},
        {"type": "base64", "value": None},
        {"type": "base64", "value": "AAAA"},
        b"AAAA",
    ],
)
async def test_what_is_no_image_is_refused(value):
    with pytest.raises(ImageInputError, match="Could not load input image"):
        await inputs(Fetcher()).read_all([value])


@pytest.mark.parametrize(
    ("values", "told"),
    [([b"AAAA"], "Cause: the 4 bytes"), ([PNG, b"AAAA"], "Cause: image 2 of 2: the 4 bytes"), ([b""], "is empty")],
)
async def test_a_refusal_says_which_image_and_why(values, told):
    with pytest.raises(ImageInputError, match=told):
        await inputs().read_all(values)


async def test_order_is_kept():
    wide = cv2.imencode(".png", np.zeros((5, 20, 3), dtype=np.uint8))[1].tobytes()
    first, second = await inputs().read_all([wide, PNG])
    assert (first.wh, second.wh) == ((20, 5), (10, 5))


async def test_too_many_images_are_refused():
    with pytest.raises(PayloadTooLargeError, match="3 images; at most 2"):
        await inputs().read_all([PNG] * 3)


async def test_no_image_is_refused():
    with pytest.raises(ImageInputError):
        await inputs().read_all([])


async def test_too_many_pixels_are_refused():
    with pytest.raises(ImageInputError, match="50 pixels"):
        await inputs(max_pixels=49).read_all([PNG])
    assert await inputs(max_pixels=50).read_all([PNG])


async def test_the_pixels_of_all_images_together_are_bounded():
    assert len(await inputs(max_request_pixels=100).read_all([PNG, PNG])) == 2
    with pytest.raises(PayloadTooLargeError, match="100 pixels together; at most 99 are accepted"):
        await inputs(max_request_pixels=99).read_all([PNG, PNG])


async def test_a_request_is_counted_for_the_images_that_are_fetched_for_it():
    admission = Admission(AdmissionLimits(bytes_per_body_byte=4))
    ticket = admission.enter(1000)
    await inputs(Fetcher(), admission).read_all([{"type": "url", "value": URL}] * 2, ticket=ticket)
    assert ticket.size_bytes == admission.counters.in_flight_bytes == 1000 + 2 * 4 * len(PNG)


async def test_when_one_image_fails_nothing_is_fetched_any_more():
    class Slow(Fetcher):
        cancelled = 0

        async def fetch(self, url, count):
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled += 1

    fetcher = Slow()
    with pytest.raises(ImageInputError):
        await inputs(fetcher).read_all([{"type": "url", "value": URL}, b"AAAA"])
    assert fetcher.cancelled == 1
