"""Fetch an image that a client names by URL, without becoming a way into the network the server stands in.

Only https, only names with a dot, only public addresses. The address is resolved once, checked, and the connection goes
to the checked address itself, so a name that changes its mind between check and use gains nothing; the certificate is
still checked against the name. Every redirect starts over.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import ssl
from collections.abc import Awaitable, Callable
from functools import cache

import httpx

from deployments.dataplane.address_guard import is_public_address
from deployments.dataplane.host_resolver import HostResolver
from deployments.errors import ImageInputError, PayloadTooLargeError

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})

Resolver = Callable[[str, int], Awaitable[list[str]]]

Count = Callable[[int], None]
"""Told of so many bytes more; may raise, which ends the fetch."""

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")


def _nothing(size_bytes: int) -> None:
    """What is done with the sizes of what arrives, where nobody counts them."""


@cache
def _trusted_authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


class UrlFetcher:
    """Fetches what https URLs name."""

    def __init__(
        self,
        *,
        max_bytes: int,
        timeout_s: float,
        allowed_hosts: tuple[str, ...] | None = None,
        denied_hosts: tuple[str, ...] = (),
        resolve: Resolver | None = None,
        is_allowed_address: Callable[[str], bool] = is_public_address,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Set what may be fetched.

        Args:
            max_bytes: largest answer.
            timeout_s: for everything together, redirects included.
            allowed_hosts: names, `*.example.com` for all below one; None allows every public host.
            denied_hosts: names in the same form; they win.
            resolve: host and port -> addresses; the system is asked when None.
            is_allowed_address: whether an address may be connected to.
            tls: whom to trust; the usual authorities when None.
        """
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._allowed_hosts = allowed_hosts
        self._denied_hosts = denied_hosts
        self._own_resolver = HostResolver()  # no thread of it begins before it is asked
        self._resolve = resolve or self._own_resolver
        self._is_allowed_address = is_allowed_address
        self._tls = tls

    def close(self) -> None:
        """Fetch nothing more."""
        self._own_resolver.close()

    async def fetch(self, url: str, count: Count = _nothing) -> bytes:
        """The bytes behind a URL.

        Args:
            url: which.
            count: told of bytes as they arrive; what it raises is raised here.

        Raises:
            ImageInputError: the URL is not allowed, or nothing could be fetched from it.
            PayloadTooLargeError: the answer is larger than `max_bytes`.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(url, count)
        except TimeoutError as error:
            raise ImageInputError(f"the image URL did not answer within {self._timeout_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ImageInputError(f"the image URL could not be fetched: {type(error).__name__}") from error

    async def _follow(self, url: str, count: Count) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            target = self._checked(url)
            address = await self._checked_address(target)
            content, url = await self._get(target, address, count)
            if content is not None:
                return content
        raise ImageInputError(f"the image URL redirects more than {MAX_REDIRECTS} times")

    def _checked(self, url: str) -> httpx.URL:
        try:
            target = httpx.URL(url.strip())
        except httpx.InvalidURL as error:
            raise ImageInputError("the image URL cannot be read; send an https URL") from error
        if target.scheme != "https":
            raise ImageInputError(f"image URLs must begin with https://, this one with {target.scheme or 'nothing'!r}")
        if target.userinfo:
            raise ImageInputError("image URLs may not carry a user name or password")
        host = _host_of(target)
        if _is_address(host) or not _HOST_NAME.fullmatch(host):
            raise ImageInputError(f"image URLs must name a fully qualified host such as example.com, not {host!r}")
        if _listed(host, self._denied_hosts):
            raise ImageInputError(f"images may not be fetched from {host}")
        if self._allowed_hosts is not None and not _listed(host, self._allowed_hosts):
            raise ImageInputError(f"images may be fetched from {', '.join(self._allowed_hosts)} only, not from {host}")
        return target

    async def _checked_address(self, target: httpx.URL) -> str:
        host = _host_of(target)
        try:
            addresses = await self._resolve(host, target.port or 443)
        except OSError as error:
            raise ImageInputError(f"the host {host} of the image URL is not known") from error
        # One private address among public ones is no accident: all must be fit.
        if not addresses or not all(self._is_allowed_address(address) for address in addresses):
            raise ImageInputError(f"the host {host} of the image URL is not a public one")
        return addresses[0]

    async def _get(self, target: httpx.URL, address: str, count: Count) -> tuple[bytes | None, str]:
        """The content and an empty text, or None and the URL that a redirect names."""
        host = _host_of(target)
        # A client for each fetch: a pooled connection to this address may have been checked for another name.
        async with httpx.AsyncClient(
            verify=self._tls or _trusted_authorities(), trust_env=False, follow_redirects=False
        ) as client:
            request = client.build_request(
                "GET",
                target.copy_with(host=address),
                headers={"Host": target.netloc.decode("ascii"), "Accept": "image/*", "Accept-Encoding": "identity"},
                extensions={"sni_hostname": host, "timeout": httpx.Timeout(self._timeout_s).as_dict()},
            )
            response = await client.send(request, stream=True)
            try:
                if response.status_code in REDIRECTS and "location" in response.headers:
                    return None, str(target.join(response.headers["location"]))
                if response.status_code != httpx.codes.OK:
                    raise ImageInputError(f"the image URL answered with status {response.status_code}")
                return await self._read(response, count), ""
            finally:
                await response.aclose()

    async def _read(self, response: httpx.Response, count: Count) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ImageInputError("the image URL answered with compressed content, which was not asked for")
        announced = response.headers.get("content-length", "")
        content = bytearray()
        if announced.isascii() and announced.isdigit() and int(announced) > self._max_bytes:
            raise self._too_large()
        async for chunk in response.aiter_raw():
            if len(content) + len(chunk) > self._max_bytes:
                raise self._too_large()
            count(len(chunk))
            content += chunk
        return bytes(content)

    def _too_large(self) -> PayloadTooLargeError:
        return PayloadTooLargeError(f"the image behind the URL is larger than {self._max_bytes} bytes")


def _host_of(target: httpx.URL) -> str:
    return target.raw_host.decode("ascii").lower().rstrip(".")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        # Forms that the system's resolver takes for IPv4: 127.1, 0x7f.1, 2130706433.
        return host.rpartition(".")[2].isdigit() or host.startswith("0x")
    return True


def _listed(host: str, names: tuple[str, ...]) -> bool:
    return any(host == name.lower() or (name.startswith("*.") and host.endswith(name[1:].lower())) for name in names)
