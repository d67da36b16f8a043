"""Encoded pictures to pixels and back, and their size without decoding them.

Pixels are what `cv2.imdecode` makes of the bytes; sizes are read from headers, so that a picture that is too large is
refused before anything is allocated for it. Both turn the picture as its EXIF orientation says and agree on the size.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from workflows.errors import ImageDecodeError
from workflows.values.codec_counts import CODEC_COUNTS

READABLE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
TRANSPOSING_ORIENTATIONS = frozenset({5, 6, 7, 8})
"""EXIF orientations that exchange width and height."""

REDUCTIONS = {
    1: (cv2.IMREAD_COLOR, cv2.IMREAD_GRAYSCALE),
    2: (cv2.IMREAD_REDUCED_COLOR_2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
    4: (cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    8: (cv2.IMREAD_REDUCED_COLOR_8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
}
"""Divisors of its size at which a JPEG can be decoded: colour and grey flags of `cv2.imdecode`."""

_ORIENTATION_TAG = 0x0112
_JPEG_START = b"\xff\xd8\xff"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def image_size(encoded: bytes, *, auto_orient: bool = True) -> tuple[int, int]:
    """Width and height that decoding will give, read from the header alone.

    Args:
        encoded: the file's bytes.
        auto_orient: whether decoding will honour the EXIF orientation.

    Raises:
        ImageDecodeError: the bytes start no picture of a readable format.
    """
    make = _reader_of(encoded)
    try:
        # The plugin's own class instead of Image.open: that one would judge the size by a limit of its own.
        with make(io.BytesIO(encoded)) as header:
            width, height = header.size
            orientation = _orientation(header, encoded)
    except Image.DecompressionBombError as error:  # some plugins judge the size by themselves
        raise ImageDecodeError("the header of the image claims far too many pixels; send a smaller image") from error
    except (SyntaxError, OSError, ValueError, OverflowError, struct.error, MemoryError) as error:
        raise ImageDecodeError(f"the header of the image is damaged ({error}); send the whole file") from error
    if width < 1 or height < 1:
        raise ImageDecodeError(f"the image claims a size of {width}x{height} pixels; it must have at least one pixel")
    return (height, width) if auto_orient and orientation in TRANSPOSING_ORIENTATIONS else (width, height)


def check_size(encoded: bytes, *, max_pixels: int, auto_orient: bool = True) -> tuple[int, int]:
    """Width and height of a picture that is small enough to decode.

    Raises:
        ImageDecodeError: no readable picture, or more than `max_pixels` pixels.
    """
    width, height = image_size(encoded, auto_orient=auto_orient)
    if width * height > max_pixels:
        raise ImageDecodeError(
            f"the image has {width}x{height} = {width * height} pixels; at most {max_pixels} are accepted"
        )
    return width, height


def reduction_for(encoded: bytes, wh: tuple[int, int], needed_wh: tuple[int, int]) -> int:
    """The largest divisor of `REDUCTIONS` at which a picture is still as large as it must be; 1 for none.

    Args:
        encoded: the file's bytes; only a JPEG is cheaper to decode at a fraction of its size.
        wh: its size, pixels.
        needed_wh: the smallest that will do.
    """
    if not encoded.startswith(_JPEG_START):
        return 1
    return max((by for by in REDUCTIONS if wh[0] >= needed_wh[0] * by and wh[1] >= needed_wh[1] * by), default=1)


def decode_pixels(
    encoded: bytes, *, grey: bool = False, auto_orient: bool = True, reduction: int = 1
) -> NDArray[np.uint8]:
    """(h, w, 3) BGR pixels, or (h, w) when `grey`, of a picture whose size was checked before; alpha is dropped.

    Args:
        encoded: the file's bytes.
        grey: whether to give one channel.
        auto_orient: whether to honour the EXIF orientation.
        reduction: divisor of both sides, which round up: 1, or what `reduction_for` says.

    Raises:
        ImageDecodeError: the bytes are not a whole picture.
    """
    flags = REDUCTIONS[reduction][grey]
    if not auto_orient:
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    CODEC_COUNTS.decodes += 1
    try:
        pixels = cv2.imdecode(np.frombuffer(encoded, dtype=np.uint8), flags) if encoded else None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise ImageDecodeError(
            f"the image could not be decoded: the file is damaged or cut short ({len(encoded)} bytes), "
            f"or not one of {', '.join(READABLE_FORMATS)}"
        )
    return pixels.astype(np.uint8, copy=False)


def encode_jpeg(pixels: NDArray[np.uint8], quality: int = 95) -> bytes:
    """A JPEG of (h, w, 3) BGR or (h, w) grey pixels.

    Raises:
        ImageDecodeError: the picture is empty or longer than JPEG can hold (65,500 pixels a side).
    """
    CODEC_COUNTS.encodes += 1
    try:
        done, buffer = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error:
        done = False
    if not done:
        raise ImageDecodeError(
            f"pixels of shape {pixels.shape} cannot be written as JPEG; each side must have 1 to 65500 pixels"
        )
    return buffer.tobytes()


def _reader_of(encoded: bytes) -> Callable[[io.BytesIO], ImageFile.ImageFile]:
    start = encoded[:12]
    if start.startswith(_JPEG_START):
        return JpegImagePlugin.JpegImageFile
    if start.startswith(_PNG_SIGNATURE):
        return PngImagePlugin.PngImageFile
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile
    if start.startswith(b"BM"):
        return BmpImagePlugin.BmpImageFile
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return TiffImagePlugin.TiffImageFile
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return GifImagePlugin.GifImageFile
    if not encoded:
        raise ImageDecodeError("the image is empty; send the file's bytes")
    raise ImageDecodeError(
        f"the {len(encoded)} bytes do not start like an image; send one of {', '.join(READABLE_FORMATS)}"
    )


def _orientation(header: ImageFile.ImageFile, encoded: bytes) -> object:
    if isinstance(header, TiffImagePlugin.TiffImageFile):
        return None  # Pillow names the turned size of a TIFF, and OpenCV turns it even when told not to
    # Pillow decodes a whole PNG to find an orientation behind the pixels; walking the chunks costs nothing.
    block = _png_exif(encoded) if isinstance(header, PngImagePlugin.PngImageFile) else header.info.get("exif")
    if not isinstance(block, bytes):
        return None
    exif = Image.Exif()
    try:
        exif.load(block)
        return exif.get(_ORIENTATION_TAG)
    except (SyntaxError, OSError, ValueError, struct.error):
        return None  # OpenCV too ignores a block that it cannot read


def _png_exif(encoded: bytes) -> bytes | None:
    at = len(_PNG_SIGNATURE)
    while at + 8 <= len(encoded):
        length = int.from_bytes(encoded[at : at + 4], "big")
        if encoded[at + 4 : at + 8] == b"eXIf":
            return encoded[at + 8 : at + 8 + length]
        at += 12 + length
    return None
