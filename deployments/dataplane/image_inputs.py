"""Images of a request before their work begins: counted, and fetched where the client sent an address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from deployments.dataplane.url_fetch import UrlFetcher
from deployments.errors import ImageInputError, PayloadTooLargeError
from deployments.settings import IngressSettings
from workflows.compiler.plan import InputPlan
from workflows.errors import ImageDecodeError, RuntimeInputError
from workflows.kinds import Kind
from workflows.serializers.image import image_url, read_image
from workflows.values.image import Image


class ImageInputs:
    """Reads images that clients sent, within the limits."""

    def __init__(self, settings: IngressSettings, fetcher: UrlFetcher | None) -> None:
        """`fetcher` gets the images that clients name by an address; None refuses them."""
        self._settings = settings
        self._fetcher = fetcher

    async def of_model_route(self, values: list[Any]) -> list[Image]:
        """Images of a single-model request.

        Raises:
            ImageInputError: one cannot be read, or an address is not allowed.
            PayloadTooLargeError: too many of them, or a fetched one is too large.
        """
        self._check_count(len(values))
        try:
            return list(await asyncio.gather(*(self._read(value, "image") for value in values)))
        except (RuntimeInputError, ImageDecodeError) as error:
            raise ImageInputError(f"Could not load input image. Cause: {error.message}") from error

    async def of_workflow(self, inputs: Mapping[str, Any], plans: Mapping[str, InputPlan]) -> dict[str, Any]:
        """The inputs of a workflow with every image that is an address replaced by the image behind it.

        Raises:
            RuntimeInputError: an address is not allowed, or nothing could be fetched from it.
            PayloadTooLargeError: too many images, or a fetched one is too large.
        """
        names = [name for name, plan in plans.items() if plan.batch and Kind.IMAGE in plan.kinds and name in inputs]
        self._check_count(sum(1 for name in names for _ in _leaves(inputs[name], name)))
        given = dict(inputs)
        for name in names:
            given[name] = await self._fetched(inputs[name], name)
        return given

    async def _fetched(self, value: Any, image_id: str) -> Any:
        if isinstance(value, list):
            parts = (self._fetched(part, f"{image_id}.[{index}]") for index, part in enumerate(value))
            return list(await asyncio.gather(*parts))
        if image_url(value, image_id) is None:
            return value
        try:
            return await self._read(value, image_id)
        except (ImageInputError, ImageDecodeError) as error:
            raise RuntimeInputError(f"image `{image_id}` cannot be used: {error.message}") from error

    async def _read(self, value: Any, image_id: str) -> Image:
        url = image_url(value, image_id)
        fetched = None
        if url is not None and self._fetcher is not None:
            fetched = await self._fetcher.fetch(url)
        return read_image(value, image_id, max_pixels=self._settings.max_pixels, fetched=fetched)

    def _check_count(self, count: int) -> None:
        if count > self._settings.max_images:
            raise PayloadTooLargeError(
                f"the request holds {count} images; at most {self._settings.max_images} are accepted at once"
            )


def _leaves(value: Any, image_id: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _leaves(part, f"{image_id}.[{index}]")
    elif value is not None:
        yield image_id
