"""Addresses that people give: what is private is never reached, by whatever spelling, name or redirect."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from services.runtime.addresses import AddressRefused, check_url, is_public
from services.runtime.guarded_http import FetchFailed, GuardedFetcher


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.31.255.255", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1", "::", "::1", "::127.0.0.1",
        "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:db8::1",
        "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "3fff::1", "5f00::1", "100::1", "not-an-address",
    ],
)  # fmt: skip
def test_an_address_outside_the_public_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4007::200e"])
def test_an_address_of_the_public_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc/passwd", "url_scheme"),
        ("gopher://x/", "url_scheme"),
        ("data:image/png;base64,AA", "url_scheme"),
        ("//x/y", "url_scheme"),
        ("http://user:pw@host/", "url_malformed"),
        ("http://good.com\\@evil/", "url_malformed"),
        ("http://a b/", "url_malformed"),
        ("http://a\tb/", "url_malformed"),
        ("http:///x", "url_malformed"),
        ("http://host.example.org:22/", "url_port"),
        ("http://host.example.org:6379/", "url_port"),
        ("http://host.example.org:99999/", "url_port"),
        ("http://host/" + "a" * 2_048, "url_too_long"),
    ],
)
def test_an_address_of_a_wrong_form_is_refused_before_anything_is_asked(url: str, code: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        check_url(url)
    assert refused.value.code == code


async def refused_with(fetcher: GuardedFetcher, url: str, *, seconds: float) -> str:
    """Fetch an address that must be refused and return the code."""
    try:
        await fetcher.fetch(url, most_bytes=10_000, seconds=seconds)
    except (AddressRefused, FetchFailed) as refused:
        return refused.code
    raise AssertionError(f"{url} was fetched")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "localhost", "localhost.", "[::1]",
     "[::ffff:127.0.0.1]", "[::127.0.0.1]", "169.254.169.254", "①②⑦.⓪.⓪.①", "%31%32%37.0.0.1"],
)  # fmt: skip
async def test_no_spelling_of_a_private_address_is_connected_to(host: str) -> None:
    fetcher = GuardedFetcher()
    code = await refused_with(fetcher, f"http://{host}/", seconds=5)
    assert code in ("url_forbidden_address", "url_malformed", "unreachable")
    await fetcher.close()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def hop(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"/hop?{request.query_string}x")


async def inside(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("http://127.0.0.1:1/secret")


async def large(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"x" * 100_000)


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x")
        await asyncio.sleep(0.1)


async def zipped(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})


async def absent(_: web.Request) -> web.StreamResponse:
    return web.Response(status=404)


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, GuardedFetcher]]:
    app = web.Application()
    handlers: dict[str, Handler] = {
        "hop": hop, "inside": inside, "large": large, "drip": drip, "zipped": zipped, "absent": absent,
    }  # fmt: skip
    for name, handler in handlers.items():
        app.router.add_get(f"/{name}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    fetcher = GuardedFetcher(frozenset({("127.0.0.1", port)}))
    yield f"http://127.0.0.1:{port}", fetcher
    await fetcher.close()
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("hop", "too_many_redirects"),
        ("inside", "url_forbidden_address"),
        ("large", "too_large"),
        ("drip", "timeout"),
        ("zipped", "encoding"),
        ("absent", "http_404"),
    ],
)
async def test_a_hostile_server_costs_little_and_gains_nothing(
    server: tuple[str, GuardedFetcher], path: str, code: str
) -> None:
    base, fetcher = server
    assert await refused_with(fetcher, f"{base}/{path}", seconds=1) == code


async def test_an_allowed_answer_is_read_whole(server: tuple[str, GuardedFetcher]) -> None:
    base, fetcher = server
    assert len(await fetcher.fetch(f"{base}/large", most_bytes=200_000, seconds=5)) == 100_000
