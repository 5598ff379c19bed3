"""The sender of webhooks: one POST at a time to an address that is checked at connect, never redirected, cut short."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

import aiohttp
from yarl import URL

from services.notifier.store.deliveries import Attempt
from services.runtime.addresses import AddressRefused
from services.runtime.public_resolver import PublicResolver, check_literal

ANSWER_READ = 16_384
ANSWER_KEPT = 4_096
ANSWER_SECONDS = 5.0
"""Seconds the rest of an answer is waited for once its status is known."""
USER_AGENT = "Sorami-Webhooks/1.0"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it goes out; `trusted` when the address is the operator's own."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    trusted: bool = False


class WebhookSender:
    """Two clients: one that reaches public addresses alone, one for the addresses in the operator's settings."""

    def __init__(self, allowed: frozenset[tuple[str, int]], seconds: float) -> None:
        self._allowed = allowed
        self._seconds = seconds
        self._guarded = _session(cast(Any, PublicResolver(allowed)))
        self._trusted = _session(None)

    async def send(self, request: Outgoing) -> Attempt:
        """POST and return what came of it; nothing that a receiver does raises."""
        began = time.perf_counter()
        status: int | None = None
        answer: str | None = None
        error: str | None = None
        retry_after: float | None = None
        try:
            async with asyncio.timeout(self._seconds), self._post(request) as response:
                status = response.status
                retry_after = retry_after_seconds(response.headers.get("Retry-After"))
                answer = await _read(response)
        except AddressRefused as refusal:
            error = refusal.detail
        except TimeoutError:
            error = f"no answer within {self._seconds:g} seconds"
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            error = _words(failure)
        # A status that was received stands, whatever became of the rest of the answer.
        error = None if status is not None else error
        return Attempt(status, error, int((time.perf_counter() - began) * 1000), answer, retry_after)

    def _post(self, request: Outgoing) -> Any:
        session = self._trusted
        if not request.trusted:
            session = self._guarded
            parts = URL(request.url)
            check_literal(parts.host or "", parts.port or 0, self._allowed)
        return session.post(
            request.url,
            data=request.body,
            headers={"Content-Type": "application/json", "User-Agent": USER_AGENT, **request.headers},
            allow_redirects=False,
        )

    async def close(self) -> None:
        """Close both clients."""
        await self._guarded.close()
        await self._trusted.close()


def _session(resolver: Any) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        # What each endpoint may have open is decided where deliveries are claimed.
        connector=aiohttp.TCPConnector(limit=0, resolver=resolver, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
        trust_env=False,
    )


async def _read(response: aiohttp.ClientResponse) -> str:
    """Return the beginning of an answer; one that is endless or drips is cut, and its connection with it."""
    read = bytearray()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while len(read) < ANSWER_READ:
                chunk = await response.content.read(ANSWER_READ - len(read))
                if not chunk:
                    break
                read += chunk
    except (TimeoutError, aiohttp.ClientError, OSError):
        response.close()
    if not response.content.at_eof():
        response.close()
    return bytes(read[:ANSWER_KEPT]).decode("utf-8", "replace").replace("\x00", "")


def _words(failure: Exception) -> str:
    if isinstance(failure, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return "the certificate of the address was not accepted"
    if isinstance(failure, aiohttp.ClientConnectorError):
        return "no connection could be made"
    if isinstance(failure, aiohttp.InvalidURL):
        return "the address is not well formed"
    return "the connection broke off before an answer"


def retry_after_seconds(header: str | None) -> float | None:
    """Read a Retry-After header, in seconds or as a date; what is neither is ignored."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
