"""Images that one request names by their addresses: few at a time, and counted for as they arrive."""

from __future__ import annotations

import asyncio

from deployments.dataplane.admission import Admission, Ticket
from deployments.dataplane.url_fetch import UrlFetcher
from deployments.errors import ImageInputError, PayloadTooLargeError
from workflows.errors import RuntimeInputError

FETCHED_AT_ONCE = 8


class RequestFetches:
    """Fetches for one request; together they may bring what there is memory for."""

    def __init__(self, fetcher: UrlFetcher | None, *, admission: Admission, ticket: Ticket | None) -> None:
        """Nothing is fetched yet.

        Args:
            fetcher: gets what is behind an address; None refuses all of them.
            admission: the door the request came through.
            ticket: its place among those in flight; None for a request that needs none.
        """
        self._fetcher = fetcher
        self._admission = admission
        self._ticket = ticket
        self._turns = asyncio.Semaphore(FETCHED_AT_ONCE)

    async def fetch(self, url: str) -> bytes:
        """The bytes behind an address.

        Raises:
            RuntimeInputError: the address is not allowed, or nothing could be fetched from it.
            PayloadTooLargeError: what is behind it is too large, alone or with all others of the request.
            OverloadedError: there is no memory for it now.
        """
        if self._fetcher is None:
            raise RuntimeInputError("images are not fetched from addresses here; send them as base64")
        async with self._turns:
            try:
                return await self._fetcher.fetch(url, self._count)
            except ImageInputError as error:
                raise RuntimeInputError(error.message) from error

    def _count(self, size_bytes: int) -> None:
        if self._ticket is None:
            return
        counted_bytes = self._ticket.size_bytes + self._admission.limits.memory_bytes(size_bytes)
        if counted_bytes > self._admission.most_bytes:
            raise PayloadTooLargeError(
                f"the request takes {counted_bytes} bytes of memory with the images behind its URLs; at most "
                f"{self._admission.most_bytes} are there: name fewer at once, or smaller ones"
            )
        self._admission.grow(self._ticket, counted_bytes)
