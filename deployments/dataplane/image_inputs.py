"""Images that clients send to single-model routes, and the fetching of those that are named by an address."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from deployments.dataplane.url_fetch import UrlFetcher
from deployments.errors import ImageInputError, PayloadTooLargeError
from deployments.settings import IngressSettings
from workflows.errors import ImageDecodeError, RuntimeInputError
from workflows.serializers.image import image_url, read_image
from workflows.values.image import Image
from workflows.values.image_codec import check_size
from workflows.values.origin import Placement
from workflows.values.video import VideoMetadata

IMAGE_ID = "image"
"""What an image of a single-model route is called."""


class ImageInputs:
    """Reads images that clients sent, within the limits."""

    def __init__(self, settings: IngressSettings, fetcher: UrlFetcher | None) -> None:
        """`fetcher` gets the images that clients name by an address; None refuses them."""
        self._settings = settings
        self._fetcher = fetcher

    async def fetch(self, url: str) -> bytes:
        """The bytes behind an address that stands in the inputs of a workflow.

        Raises:
            RuntimeInputError: the address is not allowed, or nothing could be fetched from it.
            PayloadTooLargeError: what is behind it is too large.
        """
        if self._fetcher is None:
            raise RuntimeInputError("images are not fetched from addresses here; send them as base64")
        try:
            return await self._fetcher.fetch(url)
        except ImageInputError as error:
            raise RuntimeInputError(error.message) from error

    async def read_all(self, values: Sequence[Any], *, auto_orient: bool = True) -> list[Image]:
        """Images of a single-model request, in order.

        Args:
            values: what the client sent.
            auto_orient: whether pictures are turned as their EXIF orientation says.

        Raises:
            ImageInputError: there is none, one cannot be read, or an address is not allowed.
            PayloadTooLargeError: too many of them, or a fetched one is too large.
        """
        if not values:
            raise ImageInputError("the request holds no image; send one, or a list with at least one")
        if len(values) > self._settings.max_images:
            raise PayloadTooLargeError(
                f"the request holds {len(values)} images; at most {self._settings.max_images} are accepted at once"
            )
        return list(await asyncio.gather(*(self._read(values, at, auto_orient) for at in range(len(values)))))

    async def _read(self, values: Sequence[Any], at: int, auto_orient: bool) -> Image:
        try:
            return await self._read_one(values[at], auto_orient)
        except (RuntimeInputError, ImageDecodeError) as error:
            raise image_error(error, at, len(values)) from error

    async def _read_one(self, value: Any, auto_orient: bool) -> Image:
        if isinstance(value, bytes):  # a file of a multipart body
            wh = check_size(value, max_pixels=self._settings.max_pixels, auto_orient=auto_orient)
            placement = Placement.of_upload(IMAGE_ID, wh)
            return Image(
                placement=placement,
                video=VideoMetadata.of_still(IMAGE_ID),
                wh=wh,
                encoded=value,
                auto_orient=auto_orient,
            )
        url = image_url(value, IMAGE_ID)
        fetched = None if url is None else await self.fetch(url)
        return read_image(
            value, IMAGE_ID, max_pixels=self._settings.max_pixels, fetched=fetched, auto_orient=auto_orient
        )


def image_error(error: RuntimeInputError | ImageDecodeError, at: int, count: int) -> ImageInputError:
    """What the client is told of the image at a position of its list."""
    which = f"image {at + 1} of {count}: " if count > 1 else ""
    return ImageInputError(f"Could not load input image. Cause: {which}{error.message}")
