from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from workflows.errors import ImageDecodeError
from workflows.values.image import Pixels
from workflows.values.image_codec import check_size, decode_pixels, encode_jpeg, image_size, reduction_for

LANDSCAPE_WH = (30, 20)


def decode_bgr(data: bytes, *, max_pixels: int, auto_orient: bool = True) -> Pixels:
    check_size(data, max_pixels=max_pixels, auto_orient=auto_orient)
    return decode_pixels(data, auto_orient=auto_orient)


def encoded(file_format: str, orientation: int | None = None, mode: str = "RGB") -> bytes:
    """A 30x20 picture, left half black, right half white."""
    pixels = np.zeros((20, 30, 3), dtype=np.uint8)
    pixels[:, 15:] = 255
    picture = Image.fromarray(pixels).convert(mode)
    buffer = io.BytesIO()
    if orientation is None:
        picture.save(buffer, file_format)
    else:
        exif = Image.Exif()
        exif[0x0112] = orientation
        picture.save(buffer, file_format, exif=exif)
    return buffer.getvalue()


def png_with_size(width: int, height: int) -> bytes:
    """A small PNG whose header claims another size."""
    data = bytearray(encoded("PNG"))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def png_with_exif_behind_the_pixels(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    block = exif.tobytes().removeprefix(b"Exif\x00\x00")
    chunk = struct.pack(">I", len(block)) + b"eXIf" + block + struct.pack(">I", zlib.crc32(b"eXIf" + block))
    plain = encoded("PNG")
    end = plain.rindex(b"IEND") - 4
    return plain[:end] + chunk + plain[end:]


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_size_is_read_from_the_header_of_every_readable_format(file_format: str) -> None:
    assert image_size(encoded(file_format)) == LANDSCAPE_WH


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("orientation", "expected_wh"),
    [*((upright, (30, 20)) for upright in (1, 2, 3, 4)), *((turned, (20, 30)) for turned in (5, 6, 7, 8))],
)
def test_size_and_pixels_follow_the_exif_orientation(
    file_format: str, orientation: int, expected_wh: tuple[int, int]
) -> None:
    data = encoded(file_format, orientation)
    assert image_size(data) == expected_wh
    assert decode_bgr(data, max_pixels=600).shape == (expected_wh[1], expected_wh[0], 3)


def test_orientation_six_turns_the_left_half_to_the_top() -> None:
    pixels = decode_bgr(encoded("PNG", 6), max_pixels=600)
    assert pixels[:15].max() == 0
    assert pixels[15:].min() == 255


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_size_and_pixels_agree_when_the_orientation_is_to_be_ignored(file_format: str) -> None:
    data = encoded(file_format, 6)
    width, height = image_size(data, auto_orient=False)
    assert decode_bgr(data, max_pixels=600, auto_orient=False).shape == (height, width, 3)


def test_a_jpeg_is_not_turned_when_the_orientation_is_to_be_ignored() -> None:
    assert image_size(encoded("JPEG", 6), auto_orient=False) == LANDSCAPE_WH


def test_an_orientation_behind_the_pixels_of_a_png_counts() -> None:
    data = png_with_exif_behind_the_pixels(6)
    assert image_size(data) == (20, 30)
    assert decode_pixels(data).shape == (30, 20, 3)


@pytest.mark.parametrize("orientation", [0, 9, 100])
def test_an_orientation_that_does_not_exist_is_ignored(orientation: int) -> None:
    data = encoded("JPEG", orientation)
    assert image_size(data) == LANDSCAPE_WH
    assert decode_pixels(data).shape == (20, 30, 3)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1"])
def test_any_number_of_channels_becomes_three(mode: str) -> None:
    pixels = decode_bgr(encoded("PNG", mode=mode), max_pixels=600)
    assert_array_equal(pixels[:, :15], np.zeros((20, 15, 3), dtype=np.uint8))
    assert_array_equal(pixels[:, 15:], np.full((20, 15, 3), 255, dtype=np.uint8))


def test_channels_come_out_blue_green_red() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 1), (10, 20, 30)).save(buffer, "PNG")
    assert_array_equal(decode_bgr(buffer.getvalue(), max_pixels=2), [[[30, 20, 10], [30, 20, 10]]])


def test_grey_pixels_have_no_channel_axis() -> None:
    assert decode_pixels(encoded("PNG"), grey=True).shape == (20, 30)


def test_an_image_of_exactly_the_limit_is_accepted() -> None:
    assert check_size(encoded("PNG"), max_pixels=600) == LANDSCAPE_WH


def test_one_pixel_over_the_limit_is_refused_with_both_numbers() -> None:
    with pytest.raises(ImageDecodeError, match="30x20 = 600 pixels; at most 599"):
        decode_bgr(encoded("PNG"), max_pixels=599)


def test_a_header_that_claims_a_huge_size_is_refused_by_the_limit_given_here() -> None:
    with pytest.raises(ImageDecodeError, match="at most 1000000"):
        decode_bgr(png_with_size(60000, 60000), max_pixels=1_000_000)


def test_a_webp_that_claims_more_than_its_reader_dares_is_refused() -> None:
    data = bytearray(encoded("WEBP", orientation=1))  # with EXIF: a header of its own, with 24 bits for each side
    assert data[12:16] == b"VP8X"
    data[24:30] = (19999).to_bytes(3, "little") * 2
    with pytest.raises(ImageDecodeError, match="far too many pixels"):
        image_size(bytes(data))


def test_the_size_of_a_very_large_image_is_told_without_a_limit_of_its_own() -> None:
    assert image_size(png_with_size(60000, 60000)) == (60000, 60000)


def test_no_bytes_are_refused_as_that() -> None:
    with pytest.raises(ImageDecodeError, match="is empty"):
        image_size(b"")
    with pytest.raises(ImageDecodeError):
        decode_pixels(b"")


@pytest.mark.parametrize("data", [b"\x00", b"hello world, this is text", b"\x80\x04\x95pickle", b"%PDF-1.7"])
def test_bytes_that_are_no_image_are_refused(data: bytes) -> None:
    with pytest.raises(ImageDecodeError, match="do not start like an image"):
        image_size(data)
    with pytest.raises(ImageDecodeError):
        decode_pixels(data)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_every_cut_of_a_file_is_read_or_refused_with_one_kind_of_error(file_format: str) -> None:
    data = encoded(file_format)
    for length in range(min(len(data), 200)):
        try:
            image_size(data[:length])
        except ImageDecodeError:
            continue


def test_half_a_jpeg_is_refused_when_decoded() -> None:
    data = encode_jpeg(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    with pytest.raises(ImageDecodeError, match="cut short"):
        decode_bgr(data[: len(data) // 2], max_pixels=4096)


@pytest.mark.parametrize("shape", [(20, 30, 3), (20, 30)])
def test_a_jpeg_keeps_the_size_of_what_it_was_made_from(shape: tuple[int, ...]) -> None:
    assert image_size(encode_jpeg(np.full(shape, 128, dtype=np.uint8))) == LANDSCAPE_WH


def test_a_lower_quality_makes_a_smaller_file() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert len(encode_jpeg(noise, quality=30)) < len(encode_jpeg(noise))


def test_pixels_from_another_process_are_read_only_and_can_be_encoded() -> None:
    pixels = np.zeros((4, 4, 3), dtype=np.uint8)
    pixels.flags.writeable = False
    assert_array_equal(decode_pixels(encode_jpeg(pixels)), pixels)


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3), (1, 70000, 3)])
def test_what_jpeg_cannot_hold_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageDecodeError, match="cannot be written as JPEG"):
        encode_jpeg(np.zeros(shape, dtype=np.uint8))


def test_quality_95_is_the_default() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert encode_jpeg(noise) == cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


@pytest.mark.parametrize(
    ("wh", "needed_wh", "reduction"),
    [
        ((1280, 720), (640, 360), 2),
        ((1279, 720), (640, 360), 1),
        ((1280, 719), (640, 360), 1),
        ((4000, 3000), (640, 480), 4),
        ((8000, 6000), (640, 480), 8),
        ((64000, 48000), (640, 480), 8),
        ((320, 240), (640, 480), 1),
    ],
)
def test_a_jpeg_is_reduced_as_far_as_both_sides_stay_large_enough(
    wh: tuple[int, int], needed_wh: tuple[int, int], reduction: int
) -> None:
    assert reduction_for(encoded("JPEG"), wh, needed_wh) == reduction


def test_only_a_jpeg_is_reduced() -> None:
    assert reduction_for(encoded("PNG"), (1280, 720), (640, 360)) == 1


@pytest.mark.parametrize("reduction", [2, 4, 8])
def test_a_reduced_picture_is_the_whole_one_seen_from_afar(reduction: int) -> None:
    data = encoded("JPEG")
    width, height = (-(-side // reduction) for side in LANDSCAPE_WH)
    reduced = decode_pixels(data, reduction=reduction)
    assert reduced.shape == (height, width, 3)
    assert decode_pixels(data, grey=True, reduction=reduction).shape == (height, width)
    assert reduced[:, 0].max() < 40
    assert reduced[:, -1].min() > 215


def test_a_reduced_picture_is_turned_as_the_whole_one_is() -> None:
    data = encoded("JPEG", orientation=6)
    assert decode_pixels(data, reduction=2).shape == (15, 10, 3)
    assert decode_pixels(data, auto_orient=False, reduction=2).shape == (10, 15, 3)
