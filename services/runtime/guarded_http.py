"""Fetching addresses that people give: checked at connect time, pinned to what was checked, bounded in all ways."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from services.runtime.addresses import AddressRefused, check_url, is_public

MAX_HOPS = 3


class FetchFailed(Exception):
    """The address is allowed but gave no usable answer; `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the IP addresses of a name; raises OSError when it has none."""


async def system_addresses(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, allowed: frozenset[tuple[str, int]], resolve: Resolve) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._allowed = allowed
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if (host, port) in self._allowed:
            return await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError("no address") from error
        # One private answer among public ones is how a name is rebound: all must be public.
        if not addresses or not all(is_public(address) for address in addresses):
            raise AddressRefused("url_forbidden_address", "the address does not lead to the public internet")
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class GuardedTransport(httpx.AsyncBaseTransport):
    """An httpx transport whose every connection goes to an address that was checked."""

    def __init__(self, allowed: frozenset[tuple[str, int]] = frozenset(), resolve: Resolve = system_addresses) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            network_backend=_GuardedBackend(allowed, resolve),
            max_connections=16,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raw = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            response = await self._pool.handle_async_request(raw)
        except httpcore.TimeoutException as error:
            raise httpx.ConnectTimeout("timed out") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise httpx.ConnectError("no connection") from error
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.aiter_stream():
                yield chunk
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise httpx.ReadError("the answer broke off") from error

    async def aclose(self) -> None:
        await self._response.aclose()


class GuardedFetcher:
    """Fetches whole bodies, following few redirects, each hop checked again."""

    def __init__(self, allowed: frozenset[tuple[str, int]] = frozenset(), resolve: Resolve = system_addresses) -> None:
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(allowed, resolve), trust_env=False, follow_redirects=False, timeout=10
        )
        self._allowed = allowed

    async def fetch(self, url: str, *, most_bytes: int, seconds: float) -> bytes:
        """Return the body of a 200 answer; raises AddressRefused or FetchFailed."""
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(url, most_bytes)
        except TimeoutError:
            raise FetchFailed("timeout", f"the address did not answer within {seconds:g} seconds") from None
        except httpx.InvalidURL:
            raise AddressRefused("url_malformed", "the address is not well formed") from None
        except httpx.HTTPError:
            raise FetchFailed("unreachable", "the address could not be fetched") from None

    async def _follow(self, url: str, most_bytes: int) -> bytes:
        for _ in range(MAX_HOPS + 1):
            url = check_url(url, allowed=self._allowed)
            async with self._client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
                if response.is_redirect:
                    url = next_hop(url, response.headers.get("location", ""))
                    continue
                return await _read(response, most_bytes)
        raise FetchFailed("too_many_redirects", f"the address redirects more than {MAX_HOPS} times")

    async def close(self) -> None:
        await self._client.aclose()


def next_hop(url: str, location: str) -> str:
    """Return where a redirect leads; raises AddressRefused when it would leave https."""
    target = urljoin(url, location)
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        raise AddressRefused("url_scheme", "a redirect from https to http is not followed")
    return target


async def _read(response: httpx.Response, most_bytes: int) -> bytes:
    if response.status_code != 200:
        raise FetchFailed(f"http_{response.status_code}", f"the address answered {response.status_code}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise FetchFailed("encoding", "the address answered with a content-encoding that was not asked for")
    too_large = FetchFailed("too_large", f"the answer is larger than {most_bytes} bytes")
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > most_bytes:
        raise too_large
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most_bytes:
            raise too_large
    return bytes(body)
