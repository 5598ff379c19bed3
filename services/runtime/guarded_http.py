"""Fetching addresses that people give: checked at connect time, pinned to what was checked, bounded in all ways."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

MAX_HOPS = 3
PORTS = frozenset({80, 443})

# Everything that is not the public unicast internet, by the IANA special-purpose registries, and every IPv6 form that
# embeds an IPv4 address; `ipaddress.is_global` is no substitute, it takes several of these for public.
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ]
)


class AddressRefused(Exception):
    """The address is not one we fetch; `code` is stable. The text never tells what lies behind it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class FetchFailed(Exception):
    """The address is allowed but gave no usable answer; `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public unicast internet."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not any(parsed in network for network in _REFUSED if network.version == parsed.version)


def forbidden_address() -> AddressRefused:
    """Build the refusal of an address; a name that does not exist and one that leads inside get the same words."""
    return AddressRefused("url_forbidden_address", "the address does not lead to the public internet")


async def resolve_public(host: str, port: int, family: int = 0) -> list[tuple[int, str]]:
    """Return the families and addresses of a host, all of them public; raises AddressRefused."""
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise forbidden_address() from None
    # One private answer among public ones is how a name is rebound: all must be public.
    if not answers or not all(is_public(str(answer[4][0])) for answer in answers):
        raise forbidden_address()
    return [(int(answer[0]), str(answer[4][0])) for answer in answers]


class PublicResolver:
    """A resolver for aiohttp's connector, which connects to the very addresses that were checked."""

    def __init__(self, allowed: frozenset[tuple[str, int]] = frozenset()) -> None:
        self._allowed = allowed

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        """Return aiohttp's form of the addresses; raises AddressRefused."""
        if (host, port) in self._allowed:
            loop = asyncio.get_running_loop()
            answers = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
            found = [(int(answer[0]), str(answer[4][0])) for answer in answers]
        else:
            found = await resolve_public(host, port, family)
        return [
            {"hostname": host, "host": address, "port": port, "family": kind, "proto": 0, "flags": 0}
            for kind, address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def check_literal(host: str, port: int, allowed: frozenset[tuple[str, int]]) -> None:
    """Refuse an IP address that is not public: a connector asks no resolver about those. Raises AddressRefused."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    if (host, port) not in allowed and not is_public(host):
        raise forbidden_address()


def check_url(url: str, *, any_port: bool = False) -> str:
    """Return the URL when its form is allowed; raises AddressRefused. Its addresses are checked at connect time."""
    if len(url) > 2_048:
        raise AddressRefused("url_too_long", "the address is longer than 2048 characters")
    if any(ord(c) <= 32 or c in "\\\x7f" for c in url):
        raise AddressRefused("url_malformed", "the address holds a character that no address may hold")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise AddressRefused("url_malformed", "the address is not well formed") from None
    if parts.scheme not in ("http", "https"):
        raise AddressRefused("url_scheme", "the address must start with https:// or http://")
    try:
        port = parts.port
    except ValueError:
        raise AddressRefused("url_port", "the address names no valid port") from None
    if port is not None and port not in PORTS and not any_port:
        raise AddressRefused("url_port", "only ports 80 and 443 are fetched")
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise AddressRefused("url_malformed", "the address must name a host and carry no user or password")
    if any(len(label) > 63 for label in parts.hostname.split(".")):
        raise AddressRefused("url_malformed", "a part of the host name is longer than 63 characters")
    return url


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, allowed: frozenset[tuple[str, int]]) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._allowed = allowed

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
        addresses = [address for _, address in await resolve_public(host, port)]
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class GuardedTransport(httpx.AsyncBaseTransport):
    """An httpx transport whose every connection goes to an address that was checked."""

    def __init__(self, allowed: frozenset[tuple[str, int]] = frozenset()) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            network_backend=_GuardedBackend(allowed),
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

    def __init__(self, allowed: frozenset[tuple[str, int]] = frozenset()) -> None:
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(allowed), trust_env=False, follow_redirects=False, timeout=10
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
            parts = urlsplit(url)
            if (parts.hostname, parts.port) not in self._allowed:
                check_url(url)
            async with self._client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
                if response.is_redirect:
                    target = urljoin(url, response.headers.get("location", ""))
                    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                        raise AddressRefused("url_scheme", "a redirect from https to http is not followed")
                    url = target
                    continue
                return await _read(response, most_bytes)
        raise FetchFailed("too_many_redirects", f"the address redirects more than {MAX_HOPS} times")

    async def close(self) -> None:
        await self._client.aclose()


async def _read(response: httpx.Response, most_bytes: int) -> bytes:
    if response.status_code != 200:
        raise FetchFailed(f"http_{response.status_code}", f"the address answered {response.status_code}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise FetchFailed("encoding", "the address answered with a content-encoding that was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most_bytes:
            raise FetchFailed("too_large", f"the answer is larger than {most_bytes} bytes")
    return bytes(body)
