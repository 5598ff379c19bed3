"""HTTP to a provider's API: what was surely not sent, what may have been executed, and an answer of bounded size."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from contracts.failures import FailureCode
from services.generator.providers.base import ProviderFailed
from services.generator.providers.remote.event_stream import StreamTooLarge, read_events
from services.generator.providers.remote.failures import failed, unknown_outcome
from services.generator.providers.remote.scrub import scrub

MOST_ANSWER_BYTES: Final = 160 * 1024 * 1024
"""Four pictures of 4K as base64 are less."""
CONNECT_SECONDS: Final = 10.0
SUBMIT_SECONDS: Final = 60.0
ASK_SECONDS: Final = 30.0
_LARGE: Final = 256 * 1024
"""JSON larger than this is parsed beside the event loop."""
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NEVER_RIGHT: Final = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)
_OF_A_PROXY: Final = frozenset({502, 504})

OnEvent = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: `body` is its JSON, or None when it is none; `words` is what it says, scrubbed."""

    status: int
    headers: Mapping[str, str]
    body: Any
    words: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def at(self, *path: str | int, default: Any = None) -> Any:
        """Return what lies at a path of keys and indices, or the default: a provider's answer may lack anything."""
        return dig(self.body, *path, default=default)

    def list_at(self, *path: str | int) -> list[Any]:
        """Return the list at a path, or an empty one."""
        return dig_list(self.body, *path)

    def text_at(self, *path: str | int) -> str:
        """Return the text at a path, or an empty one."""
        return dig_text(self.body, *path)


def dig(value: Any, *path: str | int, default: Any = None) -> Any:
    """Return what lies at a path in JSON, or the default when any part of it is missing or of another type."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return default
    return default if value is None else value


def dig_list(value: Any, *path: str | int) -> list[Any]:
    """Return the list at a path in JSON, or an empty one."""
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def dig_text(value: Any, *path: str | int) -> str:
    """Return the text at a path in JSON, or an empty one."""
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


class Api:
    """One provider's API at the operator's base address, with its headers; they go to no other origin.

    `submit_seconds` bounds the answer to a submit. `sisters` are host suffixes (".bfl.ai") of the same provider, which
    may be asked with the key as well.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: Iterable[str] = (),
        sisters: tuple[str, ...] = (),
        submit_seconds: float = SUBMIT_SECONDS,
    ) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.headers = dict(headers or {})
        self.origin = origin(self.base_url)
        self.submit_seconds = submit_seconds
        self._secrets = tuple(secrets)
        self._sisters = sisters
        common: dict[str, Any] = {"trust_env": False, "follow_redirects": False, "verify": _tls()}
        # A paid request gets a connection of its own: on a kept one that the other side has just closed, nobody could
        # tell whether it was executed.
        self._submits = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0), **common)
        self._asks = httpx.AsyncClient(**common)

    def url(self, path: str) -> str:
        return f"{self.base_url}/{path.lstrip('/')}"

    def own(self, url: object) -> str:
        """Return an address that the provider named, when it is its own; raises ProviderFailed for any other."""
        if isinstance(url, str) and self._is_own(url):
            return url
        message = f"{self.name} named an address that is not its own"
        raise failed(FailureCode.PROVIDER_ERROR, message, charged="unknown", retryable=False)

    def _is_own(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            if origin(url) == self.origin:
                return True
        except ValueError:
            return False
        host = parts.hostname or ""
        return parts.scheme == "https" and parts.port in (None, 443) and host.endswith(self._sisters or ("\0",))

    def scrub(self, text: str) -> str:
        return scrub(text, self._secrets)

    async def submit(
        self, url: str, *, needs_json: bool = True, on_event: OnEvent | None = None, **request: Any
    ) -> Answer:
        """POST what will be charged, once. Of a stream, `on_event` hears every event and the last one is the body.

        Raises ProviderFailed when it surely was not sent, OutcomeUnknown when it may have been executed: no answer,
        half an answer, a success that is not JSON (unless it need not be), or a proxy's word (502, 504) for the
        provider's.
        """
        try:
            answer = await self._send(self._submits, "POST", url, self.submit_seconds, request, on_event)
        except _NOT_SENT as error:
            raise self._unreachable(error) from None
        except _NEVER_RIGHT:
            raise failed(FailureCode.PROVIDER_ERROR, f"{self.name} has no usable address", retryable=False) from None
        except (httpx.HTTPError, TimeoutError) as error:
            reason = type(error).__name__
            raise unknown_outcome(
                f"{self.name} gave no answer to a request it may have executed", words=reason
            ) from None
        if answer.body is None and ((answer.ok and needs_json) or answer.status in _OF_A_PROXY):
            message = f"{self.name} answered {answer.status} with something else than its JSON"
            raise unknown_outcome(message, words=answer.words)
        return answer

    async def ask(self, method: str, url: str, *, seconds: float = ASK_SECONDS, **request: Any) -> Answer:
        """Ask what costs nothing; raises ProviderFailed (retryable, `charged` unknown) when no answer came."""
        try:
            return await self._send(self._asks, method, url, seconds, request)
        except _NEVER_RIGHT:
            raise failed(FailureCode.PROVIDER_ERROR, f"{self.name} has no usable address", retryable=False) from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise self._unreachable(error, charged="unknown") from None

    def _unreachable(self, error: Exception, **more: Any) -> ProviderFailed:
        return failed(FailureCode.OVERLOADED, f"{self.name} could not be reached", words=type(error).__name__, **more)

    async def _send(
        self,
        client: httpx.AsyncClient,
        method: str,
        url: str,
        seconds: float,
        request: dict[str, Any],
        on_event: OnEvent | None = None,
    ) -> Answer:
        headers = {**self.headers, "Accept-Encoding": "identity", **request.pop("headers", {})}
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        # httpx bounds each step; a slow drip is bounded by the whole.
        async with (
            asyncio.timeout(seconds + CONNECT_SECONDS),
            client.stream(method, url, headers=headers, timeout=timeout, **request) as response,
        ):
            try:
                if on_event is not None and response.headers.get("content-type", "").startswith("text/event-stream"):
                    raw, body = b"", await _last_event(response, on_event)
                else:
                    raw = await _whole(response)
                    body = await _parse(raw)
            except StreamTooLarge:
                message = f"{self.name} answered more than {MOST_ANSWER_BYTES} bytes"
                raise failed(FailureCode.PROVIDER_ERROR, message, charged="unknown", retryable=False) from None
            return Answer(response.status_code, response.headers, body, self._words(raw, body))

    def _words(self, raw: bytes, body: Any) -> str:
        """What an answer says: the message in its JSON where it has a usual place, else its first characters."""
        for path in (("error", "message"), ("detail",), ("message",), ("error",), ("errors", 0)):
            said = dig(body, *path)
            if isinstance(said, str) and said:
                return self.scrub(said)
        return self.scrub(raw[:2_000].decode("utf-8", "replace"))

    async def close(self) -> None:
        await self._submits.aclose()
        await self._asks.aclose()


@cache
def _tls() -> ssl.SSLContext:
    """Reading the machine's certificates takes a while: once a process."""
    return ssl.create_default_context()


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port; raises ValueError for an address without them."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    if port is None or not parts.hostname or parts.username is not None:
        raise ValueError("not an http address of a host")
    return parts.scheme, parts.hostname, port


async def _whole(response: httpx.Response) -> bytes:
    raw = bytearray()
    # Identity was asked for; a server that compresses all the same is read, its bytes counted as they unfold.
    async for chunk in response.aiter_bytes():
        raw += chunk
        if len(raw) > MOST_ANSWER_BYTES:
            raise StreamTooLarge
    return bytes(raw)


async def _last_event(response: httpx.Response, on_event: OnEvent) -> Any:
    last = None
    async for last in read_events(response.aiter_bytes(), MOST_ANSWER_BYTES):
        await on_event(last)
    return last


async def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw) if len(raw) < _LARGE else await asyncio.to_thread(json.loads, raw)
    except (ValueError, RecursionError):
        return None
