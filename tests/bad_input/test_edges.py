"""Rows H35 to H38 and H42: too many streams, odd methods and paths, spoofed headers, hostile names, slow peers."""

import asyncio
import time
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from services.runtime.http_body import BODY_SECONDS
from services.runtime.http_protocol import HEADER_SECONDS, MAX_HEADER_BYTES
from tests.support.product import Product

FOREIGN = "https://evil.example"


async def test_H35_a_stream_too_many_is_refused(product: Product) -> None:
    person, other = product.person(), product.person()
    await person.user_id()
    await other.user_id()
    many = httpx.AsyncClient(
        base_url=product.url, headers=person.http.headers, limits=httpx.Limits(max_connections=None), timeout=30
    )
    async with many, AsyncExitStack() as stack:
        open_streams = []
        for _ in range(100):
            answer = await stack.enter_async_context(many.stream("GET", "/api/events"))
            assert answer.status_code == 200
            # Its first words say that the stream is open.
            open_streams.append(answer.aiter_raw())
            assert b"retry" in await anext(open_streams[-1])
        refused = await person.http.get("/api/events")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
        assert int(refused.headers["retry-after"]) > 0
        async with other.http.stream("GET", "/api/events") as theirs:
            assert theirs.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        pytest.param("GET", "/api/images/generate", 405, "method_not_allowed", id="H36-method"),
        pytest.param("PUT", "/api/jobs", 405, "method_not_allowed", id="H36-method-of-a-list"),
        pytest.param("GET", "/api/jobs/", 404, None, id="H36-slash-at-the-end"),
        pytest.param("GET", "//api/jobs", 404, "not_found", id="H36-two-slashes"),
        pytest.param("GET", "/api/%2e%2e/api/jobs", 404, "not_found", id="H36-dots"),
        pytest.param("GET", "/static/%2e%2e/app.py", 404, "not_found", id="H36-dots-out-of-the-page"),
        pytest.param("HEAD", "/api/jobs", 405, None, id="H36-head"),
    ],
)
async def test_an_odd_method_or_path(product: Product, method: str, path: str, status: int, code: str | None) -> None:
    # Sent as it is written: a client would tidy the path up.
    host = urlsplit(product.url).netloc
    token = product.person().http.headers["authorization"]
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(
        f"{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {token}\r\nconnection: close\r\n\r\n".encode()
    )
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    assert int(head.split()[1]) == status, head
    assert code is None or f'"code": "{code}"' in body
    assert status != 405 or "allow: " in head.lower()


async def test_H36_options_of_a_foreign_page_gets_no_permission(product: Product) -> None:
    asked = {"Origin": FOREIGN, "Access-Control-Request-Method": "POST"}
    async with httpx.AsyncClient(base_url=product.url) as client:
        answer = await client.options("/api/jobs", headers=asked)
    assert not [name for name in answer.headers if name.startswith("access-control-allow-origin")]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"X-Forwarded-For": "10.0.0.1"}, id="H37-forwarded-for"),
        pytest.param({"X-Forwarded-Host": "evil.example"}, id="H37-forwarded-host"),
        pytest.param({"Forwarded": "host=evil.example;proto=https"}, id="H37-forwarded"),
    ],
)
async def test_links_are_never_built_from_what_a_client_says(product: Product, header: dict[str, str]) -> None:
    person = product.person()
    job_id = await person.ask()
    await person.ended(job_id)
    answer = await person.http.get(f"/api/images/{job_id}/result", headers=header)
    address = answer.json()["images"][0]["fileUrl"]
    assert address.startswith(product.stack.env["SORAMI_PUBLIC_URL"])
    assert "evil" not in answer.text


async def test_H37_a_foreign_host_is_refused(product: Product) -> None:
    answer = await product.person().http.get("/api/jobs", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (421, "host_not_allowed")


async def test_H38_a_prompt_cannot_write_headers(product: Product) -> None:
    person = product.person()
    job_id = await person.ask(prompt='a"\nSet-Cookie: x=1; é')
    await person.ended(job_id)
    packed = await person.http.get("/api/gallery/zip", params={"ids": job_id})
    address = (await person.http.get(f"/api/images/{job_id}/result")).json()["images"][0]["fileUrl"]
    saved = await person.http.get(address, params={"download": ""}, follow_redirects=True)
    for answer in (packed, saved):
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert answer.headers["content-disposition"].startswith("attachment; filename")
        assert answer.headers["content-disposition"].isascii()


async def slowly(product: Product, first: bytes, then: bytes = b"x") -> tuple[float, bytes]:
    """Send a beginning, then a little every second until the other side ends it; returns seconds and what it said."""
    host = urlsplit(product.url)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    began = time.monotonic()
    writer.write(first)

    async def drip() -> None:
        while True:
            await asyncio.sleep(1)
            writer.write(then)
            await writer.drain()

    dripping = asyncio.create_task(drip())
    try:
        async with asyncio.timeout(BODY_SECONDS * 2):
            said = await reader.read()
    finally:
        dripping.cancel()
        writer.close()
    return time.monotonic() - began, said


async def test_H42_slow_headers_and_a_slow_body_are_ended(product: Product) -> None:
    host = urlsplit(product.url).netloc
    token = product.person().http.headers["authorization"]
    head = f"POST /api/images/generate HTTP/1.1\r\nhost: {host}\r\nauthorization: {token}\r\n"
    whole = head + "content-type: application/json\r\ncontent-length: 5000\r\n\r\n{"
    (for_headers, nothing), (for_body, said), (for_silence, _) = await asyncio.gather(
        slowly(product, (head + "x-slow: ").encode()), slowly(product, whole.encode()), slowly(product, b"", b"")
    )
    assert HEADER_SECONDS - 1 < for_headers < HEADER_SECONDS + 5
    assert nothing == b""
    assert HEADER_SECONDS - 1 < for_silence < HEADER_SECONDS + 5
    assert BODY_SECONDS - 1 < for_body < BODY_SECONDS + 5
    assert b" 408 " in said.splitlines()[0]
    assert b"body_timeout" in said


async def test_headers_without_end_are_refused(product: Product) -> None:
    host = urlsplit(product.url)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    writer.write(f"GET /healthz HTTP/1.1\r\nhost: {host.netloc}\r\n".encode())
    sent = "".join(f"x-{number}: {'y' * 60}\r\n" for number in range(MAX_HEADER_BYTES // 64))
    writer.write(sent.encode() + b"\r\n")
    said = await reader.read(65_536)
    writer.close()
    assert b" 431 " in said.splitlines()[0]
    assert b"headers_too_large" in said
