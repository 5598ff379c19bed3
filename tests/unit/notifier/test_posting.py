"""The connections of webhooks, against servers that say exactly these bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from services.notifier.channels.posting import ANSWER_READ, Answer, Lost, NotConnected, Poster, target_of
from services.runtime.public_resolver import resolve_any

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Plays = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Plays a part on every connection and counts what it met."""

    def __init__(self, plays: "Callable[[Server], Plays]") -> None:
        self._plays = plays(self)
        self.port = self.connections = self.requests = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._plays(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        """Read one request whole."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.requests += 1
        return head + await reader.readexactly(length)


@asynccontextmanager
async def served(plays: Callable[[Server], Plays]) -> AsyncIterator[tuple[Server, Callable[[], Awaitable[Answer]]]]:
    server = Server(plays)
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    poster = Poster(resolve_any)
    target = target_of(f"http://127.0.0.1:{server.port}/hook?a=1")
    request = f"{target.lines}Content-Length: 2\r\n\r\n{{}}".encode()
    try:
        yield server, lambda: poster.post(target, request, 3)
    finally:
        poster.close()
        listening.close()


def answering(*answers: bytes, times: int = 9) -> Callable[[Server], Plays]:
    """Answer each request of a connection, `times` of them, in these pieces."""

    def plays(server: Server) -> Plays:
        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in range(times):
                await server.request(reader)
                for piece in answers:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)

        return play

    return plays


async def test_a_connection_is_kept_and_one_that_was_closed_meanwhile_costs_no_attempt() -> None:
    async with served(answering(OK, times=2)) as (server, post):
        assert [(await post()).body for _ in range(2)] == [b"ok", b"ok"]
        assert (server.connections, server.requests) == (1, 2)
        # The server closes after its second answer, whether or not we have heard of it.
        assert (await post()).status == 200
        assert (server.connections, server.requests) == (2, 3)


async def test_a_request_that_was_read_on_a_kept_connection_and_half_answered_is_not_sent_anew() -> None:
    def plays(server: Server) -> Plays:
        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.request(reader)
            writer.write(OK)
            await server.request(reader)
            writer.write(b"HTTP/1.1 20")
            await writer.drain()

        return play

    async with served(plays) as (server, post):
        await post()
        with pytest.raises(Lost):
            await post()
        assert (server.connections, server.requests) == (1, 2)


@pytest.mark.parametrize(
    ("pieces", "status", "body"),
    [
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n", OK], 200, b"ok", id="an interim answer first"),
        pytest.param([OK[:9], OK[9:20], OK[20:]], 200, b"ok", id="in pieces"),
        pytest.param(
            [b"HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", b"0\r\n\r\n"], 202, b"ok", id="chunked"
        ),
        pytest.param([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, b"", id="without a body"),
        pytest.param([b"HTTP/1.1 500 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"], 500, b"", id="a failure"),
    ],
)
async def test_an_answer_is_read_however_it_is_framed_and_the_next_one_too(
    pieces: list[bytes], status: int, body: bytes
) -> None:
    async with served(answering(*pieces)) as (server, post):
        for _ in range(3):
            answer = await post()
            assert (answer.status, answer.body) == (status, body)
            assert answer.retry_after == ("7" if status == 500 else None)
        assert server.connections == 1


@pytest.mark.parametrize(
    ("said", "body"),
    [
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end", id="until it closes"),
        pytest.param(OK + b"HTTP/1.1 200 OK\r\nContent-Le", b"ok", id="more than was asked for"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", b"ok", id="less than was promised"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99_999, b"x" * ANSWER_READ, id="too much"
        ),
        pytest.param(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), b"ok", id="asked to close"),
    ],
)
async def test_a_connection_whose_answer_left_doubt_is_not_used_again(said: bytes, body: bytes) -> None:
    async with served(answering(said, times=1)) as (server, post):
        assert [(await post()).body for _ in range(2)] == [body, body]
        assert (server.connections, server.requests) == (2, 2)


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000])
async def test_what_is_no_answer_is_lost(said: bytes) -> None:
    async with served(answering(said, times=1)) as (server, post):
        with pytest.raises(Lost):
            await post()
        assert server.requests == 1


async def test_nobody_there_is_told_as_that_and_a_silent_one_after_its_time() -> None:
    async with served(lambda server: lambda reader, writer: asyncio.sleep(30)) as (server, _):
        poster, target = Poster(resolve_any), target_of(f"http://127.0.0.1:{server.port}/")
        with pytest.raises(TimeoutError):
            await poster.post(target, b"POST / HTTP/1.1\r\n\r\n", 0.1)
    with pytest.raises(NotConnected):
        await poster.post(target_of("http://127.0.0.1:1/"), b"", 3)


@pytest.mark.parametrize(
    ("url", "lines"),
    [
        ("http://a.example/x?y=%20z", "POST /x?y=%20z HTTP/1.1\r\nHost: a.example\r\n"),
        ("https://bücher.example:8443", "POST / HTTP/1.1\r\nHost: xn--bcher-kva.example:8443\r\n"),
        ("http://[2001:db8::1]:80/", "POST / HTTP/1.1\r\nHost: [2001:db8::1]\r\n"),
        ("http://me:pass@a.example/", "POST / HTTP/1.1\r\nHost: a.example\r\nAuthorization: Basic bWU6cGFzcw==\r\n"),
    ],
)
def test_an_address_becomes_the_lines_it_asks_for(url: str, lines: str) -> None:
    assert target_of(url).lines == lines


@pytest.mark.parametrize("url", ["ftp://a.example/", "http:///x", "no address", "http://a.example:99999/"])
def test_what_cannot_be_posted_to_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        target_of(url)
