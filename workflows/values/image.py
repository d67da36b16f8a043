"""An image that travels as encoded bytes and becomes pixels only where somebody looks at them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workflows.values.image_codec import decode_pixels, encode_jpeg, reduction_for
from workflows.values.origin import Placement
from workflows.values.video import VideoMetadata

Pixels = NDArray[np.uint8]

MAX_TRAVELLING_PIXEL_BYTES = 1024 * 1024
"""Up to this size an image that a step made travels as pixels: about what encoding and decoding it would cost, and the
next step sees the very pixels, so that no answer depends on where its steps run. Larger ones travel as a JPEG."""

MAX_CROPPED_PIXELS = 256_000_000
"""Pixels of all crops of one request, and so of one image: 768 MB while they are pixels."""


class Image:
    """One image, its identity and its place.

    It holds encoded bytes, pixels, or both; whichever is missing is made once, on first use. An uploaded image travels
    between processes as the bytes that came; one that a step made as its pixels while it is small, else as a JPEG. The
    client's own text stays behind.

    Attributes:
        placement: identity and window in the uploaded image.
        video: the frame's place in its video.
        source_text: the base64 text the client sent, kept only as long as the image is unmodified in the process that
            received it: an echoed input is answered verbatim.

    An image made with `auto_orient=False` shows its pixels as they are stored, whatever its EXIF orientation says.
    """

    __slots__ = (
        "_auto_orient",
        "_encoded",
        "_grey",
        "_made",
        "_pixels",
        "_reduced",
        "_wh",
        "placement",
        "source_text",
        "video",
    )

    def __init__(
        self,
        *,
        placement: Placement,
        video: VideoMetadata,
        wh: tuple[int, int],
        encoded: bytes | None = None,
        pixels: Pixels | None = None,
        grey: bool = False,
        auto_orient: bool = True,
        source_text: str | None = None,
    ) -> None:
        if encoded is None and pixels is None:
            raise ValueError("an image needs encoded bytes or pixels")
        self.placement = placement
        self.video = video
        self.source_text = source_text
        self._encoded = encoded
        self._pixels = pixels
        self._made = pixels is not None  # then the encoded form is made of the pixels, not the pixels of it
        self._grey = grey
        self._auto_orient = auto_orient
        self._wh = wh
        self._reduced: tuple[int, Pixels] | None = None  # divisor of its size, and the pixels

    @classmethod
    def from_pixels(cls, pixels: Pixels, placement: Placement, video: VideoMetadata) -> Image:
        """An image of (h, w, 3) BGR or (h, w) grey pixels."""
        height, width = pixels.shape[:2]
        return cls(placement=placement, video=video, wh=(width, height), pixels=pixels, grey=pixels.ndim == 2)

    @property
    def wh(self) -> tuple[int, int]:
        """Width and height, pixels; known without decoding."""
        return self._wh

    @property
    def size_px(self) -> int:
        """How many pixels it has; known without decoding."""
        return self._wh[0] * self._wh[1]

    @property
    def pixels(self) -> Pixels:
        """(h, w, 3) BGR uint8, or (h, w) for a grey image; read-only.

        Raises:
            ImageDecodeError: the bytes turn out not to be a whole picture.
        """
        if self._pixels is None:
            assert self._encoded is not None  # the constructor saw to it
            self._pixels = decode_pixels(self._encoded, grey=self._grey, auto_orient=self._auto_orient)
        return _read_only(self._pixels)

    def pixels_for(self, needed_wh: tuple[int, int]) -> Pixels:
        """As `pixels`, or those of a smaller picture that is at least `needed_wh`, where decoding that is cheaper.

        Which of the two depends on the bytes alone, not on what somebody else has looked at: answers do not either.

        Raises:
            ImageDecodeError: the bytes turn out not to be a whole picture.
        """
        if self._made or self._encoded is None:
            return self.pixels
        reduction = reduction_for(self._encoded, self._wh, needed_wh)
        if reduction == 1:
            return self.pixels
        if self._reduced is None or self._reduced[0] != reduction:
            pixels = decode_pixels(self._encoded, grey=self._grey, auto_orient=self._auto_orient, reduction=reduction)
            self._reduced = reduction, pixels
        return _read_only(self._reduced[1])

    @property
    def encoded(self) -> bytes:
        """The bytes as they were uploaded, or a JPEG of quality 95 for an image that a step made."""
        if self._encoded is None:
            assert self._pixels is not None  # the constructor saw to it
            self._encoded = encode_jpeg(self._pixels)
        return self._encoded

    @property
    def travels_as_pixels(self) -> bool:
        """Whether another process gets the pixels rather than encoded bytes."""
        return self._made and self._pixels is not None and self._pixels.nbytes <= MAX_TRAVELLING_PIXEL_BYTES

    @property
    def travelling_bytes(self) -> int:
        """What sending the image to another process takes; encodes it if that is how it will travel."""
        if self.travels_as_pixels:
            assert self._pixels is not None  # else it would not
            return self._pixels.nbytes + len(self._encoded or b"")
        return len(self.encoded)

    def keep_what_travels(self) -> None:
        """Encode the image if that is how it travels, and let go of its pixels: the next process sees it like that."""
        if not self.travels_as_pixels:
            _ = self.encoded
            self._pixels = self._reduced = None
            self._made = False

    @property
    def id(self) -> str:
        """Identity of the image: what detections made on it call their parent."""
        return self.placement.parent.id

    def with_pixels(self, pixels: Pixels) -> Image:
        """An image that shows something else but keeps identity, place and video metadata."""
        return Image.from_pixels(pixels, self.placement, self.video)

    def window(
        self, window_id: str, xyxy: tuple[int, int, int, int], video: VideoMetadata | None = None
    ) -> Image | None:
        """The part between two corners, sliced as numpy does; None when it has no area.

        Args:
            window_id: identity of the new image.
            xyxy: left, top, right, bottom in pixels; right and bottom exclusive.
            video: metadata of the new image; that of a still named `window_id` when None.
        """
        left, top, right, bottom = xyxy
        cut = self.pixels[top:bottom, left:right]
        if cut.size == 0:
            return None
        placement = self.placement.window(window_id, left, top, self._wh)
        return Image.from_pixels(np.ascontiguousarray(cut), placement, video or VideoMetadata.of_still(window_id))

    def video_of_window(self, window_id: str) -> VideoMetadata:
        """Metadata for a window of this image that is followed like a video of its own; a still goes by `window_id`."""
        source = self.video.video_identifier
        return replace(self.video, video_identifier=window_id if source == self.id else f"{source} | crop: {window_id}")

    def __reduce__(self) -> tuple[object, ...]:
        as_pixels = self.travels_as_pixels
        pixels, encoded = (self._pixels, self._encoded) if as_pixels else (None, self.encoded)
        return _restore, (encoded, pixels, self._wh, self._grey, self._auto_orient, self.placement, self.video)


def _read_only(pixels: Pixels) -> Pixels:
    view = pixels.view()
    view.flags.writeable = False
    return view


def _restore(
    encoded: bytes | None,
    pixels: Pixels | None,
    wh: tuple[int, int],
    grey: bool,
    auto_orient: bool,
    placement: Placement,
    video: VideoMetadata,
) -> Image:
    return Image(
        placement=placement,
        video=video,
        wh=wh,
        encoded=encoded,
        pixels=pixels,
        grey=grey,
        auto_orient=auto_orient,
    )
