"""Images that clients send to single-model routes, and the fetching of those that are named by an address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deployments.dataplane.admission import Admission, Ticket
from deployments.dataplane.request_fetches import RequestFetches
from deployments.dataplane.url_fetch import UrlFetcher
from deployments.errors import ImageInputError, PayloadTooLargeError
from deployments.settings import IngressSettings
from workflows.errors import ImageDecodeError, RuntimeInputError
from workflows.executor.options import MAX_REQUEST_PIXELS
from workflows.executor.together import together
from workflows.serializers.image import image_url, read_image
from workflows.values.image import Image
from workflows.values.image_codec import check_size
from workflows.values.origin import Placement
from workflows.values.video import VideoMetadata

IMAGE_ID = "image"
"""What an image of a single-model route is called."""


class ImageInputs:
    """Reads images that clients sent, within the limits."""

    def __init__(
        self,
        settings: IngressSettings,
        fetcher: UrlFetcher | None,
        admission: Admission,
        *,
        max_request_pixels: int = MAX_REQUEST_PIXELS,
    ) -> None:
        """Set the limits.

        Args:
            settings: what is accepted.
            fetcher: gets the images that clients name by an address; None refuses them.
            admission: counts requests for what is fetched.
            max_request_pixels: of all images of one request.
        """
        self._settings = settings
        self._fetcher = fetcher
        self._admission = admission
        self._max_request_pixels = max_request_pixels

    def fetches(self, ticket: Ticket | None) -> RequestFetches:
        """What fetches the images of one request, whose place among those in flight is `ticket`."""
        return RequestFetches(self._fetcher, admission=self._admission, ticket=ticket)

    async def read_all(
        self, values: Sequence[Any], *, auto_orient: bool = True, ticket: Ticket | None = None
    ) -> list[Image]:
        """Images of a single-model request, in order.

        Args:
            values: what the client sent.
            auto_orient: whether pictures are turned as their EXIF orientation says.
            ticket: the request's place among those in flight; None for a request that needs none.

        Raises:
            ImageInputError: there is none, one cannot be read, or an address is not allowed.
            PayloadTooLargeError: they are too many, or too large together, or a fetched one is too large.
            OverloadedError: there is no memory now for what is fetched.
        """
        if not values:
            raise ImageInputError("the request holds no image; send one, or a list with at least one")
        if len(values) > self._settings.max_images:
            raise PayloadTooLargeError(
                f"the request holds {len(values)} images; at most {self._settings.max_images} are accepted at once"
            )
        fetches = self.fetches(ticket)
        images = await together([self._read(values, at, auto_orient, fetches) for at in range(len(values))])
        pixels = sum(image.size_px for image in images)
        if pixels > self._max_request_pixels:
            raise PayloadTooLargeError(
                f"the images of the request have {pixels} pixels together; at most {self._max_request_pixels} are "
                "accepted: send them in several requests, or smaller"
            )
        return images

    async def _read(self, values: Sequence[Any], at: int, auto_orient: bool, fetches: RequestFetches) -> Image:
        try:
            return await self._read_one(values[at], auto_orient, fetches)
        except (RuntimeInputError, ImageDecodeError) as error:
            raise image_error(error, at, len(values)) from error

    async def _read_one(self, value: Any, auto_orient: bool, fetches: RequestFetches) -> Image:
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
        fetched = None if url is None else await fetches.fetch(url)
        return read_image(
            value, IMAGE_ID, max_pixels=self._settings.max_pixels, fetched=fetched, auto_orient=auto_orient
        )


def image_error(error: RuntimeInputError | ImageDecodeError, at: int, count: int) -> ImageInputError:
    """What the client is told of the image at a position of its list."""
    which = f"image {at + 1} of {count}: " if count > 1 else ""
    return ImageInputError(f"Could not load input image. Cause: {which}{error.message}")
