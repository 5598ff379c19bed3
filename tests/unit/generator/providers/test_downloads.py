"""Media from elsewhere: bounded, sniffed, whole, and keys only where they belong."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web

from contracts.failures import Failure, FailureCode
from services.generator.providers.base import MediaRef, ProviderFailed
from services.generator.providers.instant import instant_mp4, instant_png
from services.generator.providers.remote import download
from services.generator.providers.remote.api import Api
from services.generator.providers.remote.download import Bounds, Downloads
from services.generator.providers.remote.sniff import is_whole, sniff
from tests.support.providers.fake import KEY, PAGE, jpeg

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve a handler at an address of its own."""
    async with AsyncExitStack() as stack:

        async def start(handler: Handler) -> str:
            app = web.Application()
            app.router.add_get("/{path:.*}", handler)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}"

        yield start


async def fetched(base: str, url: str, folder: Path, kind: str = "image") -> Failure | Path:
    """Fetch as the adapter of a provider at `base` would."""
    api = Api("test", base, headers={"Authorization": f"Key {KEY}"}, secrets=[KEY])
    downloads = Downloads(api)
    try:
        return (await downloads.fetch(MediaRef(1, kind, url=url), folder)).path
    except ProviderFailed as error:
        return error.failure
    finally:
        await downloads.close()
        await api.close()


def lost(outcome: Failure | Path) -> Failure:
    assert isinstance(outcome, Failure)
    assert (outcome.code, outcome.charged) == (FailureCode.PROVIDER_ERROR, "yes")
    return outcome


async def test_the_key_stays_with_the_provider_when_a_redirect_leaves_it(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Mapping[str, str]] = {}

    async def cdn(request: web.Request) -> web.Response:
        seen["cdn"] = dict(request.headers)
        return web.Response(body=instant_png("x"))

    elsewhere = await serve(cdn)

    async def own(request: web.Request) -> web.Response:
        seen["own"] = dict(request.headers)
        raise web.HTTPFound(f"{elsewhere}/file")

    base = await serve(own)
    # As if the other server were on the public internet.
    monkeypatch.setattr("services.runtime.guarded_http.is_public", lambda address: True)
    monkeypatch.setattr(download, "check_url", lambda url, allowed: url)

    path = await fetched(base, f"{base}/file", tmp_path)

    assert isinstance(path, Path)
    assert path.name == "raw_1.png"
    assert seen["own"]["Authorization"] == f"Key {KEY}"
    assert "Authorization" not in seen["cdn"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/x",
        "http://10.0.0.1/x",
        "http://[::1]/x",
        "http://localhost/x",
        "file:///etc/passwd",
        "x",
        "",
    ],
)
async def test_an_address_in_our_own_network_is_not_fetched(serve: Serve, tmp_path: Path, url: str) -> None:
    async def nobody(request: web.Request) -> web.Response:
        raise AssertionError("nothing may be asked")

    failure = lost(await fetched(await serve(nobody), url, tmp_path))
    assert not failure.retryable


async def test_redirects_end(serve: Serve, tmp_path: Path) -> None:
    async def again(request: web.Request) -> web.Response:
        raise web.HTTPFound(request.path + "x")

    base = await serve(again)
    assert "redirects" in lost(await fetched(base, f"{base}/x", tmp_path)).message


async def test_what_is_too_large_is_left(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(bytes(1024))
        return response

    monkeypatch.setitem(download.BOUNDS, "image", Bounds(10_000, 30))
    base = await serve(flood)
    assert "larger than 10000 bytes" in lost(await fetched(base, f"{base}/x", tmp_path)).message


async def test_what_takes_too_long_is_left_and_may_be_fetched_again(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")

    monkeypatch.setitem(download.BOUNDS, "image", Bounds(10**12, 0.2))
    base = await serve(drip)
    assert lost(await fetched(base, f"{base}/x", tmp_path)).retryable


@pytest.mark.parametrize(("status", "retryable"), [(404, False), (410, False), (500, True), (403, True), (429, True)])
async def test_what_is_gone_stays_gone(serve: Serve, tmp_path: Path, status: int, retryable: bool) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status)

    base = await serve(refuse)
    failure = await fetched(base, f"{base}/x", tmp_path)
    assert isinstance(failure, Failure)
    assert (failure.retryable, failure.charged) == (retryable, "yes")


async def test_a_film_is_no_image(serve: Serve, tmp_path: Path) -> None:
    async def film(request: web.Request) -> web.Response:
        return web.Response(body=instant_mp4(), content_type="image/png")

    base = await serve(film)
    assert "MP4 instead of image" in lost(await fetched(base, f"{base}/x", tmp_path)).message
    assert isinstance(await fetched(base, f"{base}/x", tmp_path, "video"), Path)


async def test_the_words_of_a_web_page_are_kept(serve: Serve, tmp_path: Path) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="image/png")

    base = await serve(page)
    failure = lost(await fetched(base, f"{base}/x", tmp_path))
    assert "a web page" in failure.message
    assert (failure.provider_words or "").startswith("<!doctype html>")


SAMPLES = {
    "PNG": instant_png("x"),
    "JPEG": jpeg(),
    "WEBP": b"RIFF\x14\x00\x00\x00WEBPVP8L" + bytes(12),
    "AVIF": b"\x00\x00\x00\x10ftypavif" + bytes(4) + b"\x00\x00\x00\x10meta" + bytes(8),
    "MP4": instant_mp4(),
}


@pytest.mark.parametrize("media_format", SAMPLES)
def test_every_format_is_known_by_its_bytes_and_missed_by_its_end(media_format: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(SAMPLES[media_format])
    assert sniff(SAMPLES[media_format][:16]) == media_format
    assert is_whole(path, media_format)
    for cut in (1, 5, len(SAMPLES[media_format]) // 2):
        path.write_bytes(SAMPLES[media_format][:-cut])
        assert not is_whole(path, media_format)


@pytest.mark.parametrize("head", [b"", b"GIF89a", b"<svg xmlns", b"%PDF-1.7", b"\x00\x00\x00\x18ftypheic"])
def test_what_we_do_not_keep_has_no_name(head: bytes) -> None:
    assert sniff(head) is None
