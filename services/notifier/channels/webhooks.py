"""The sender of webhooks: one POST at a time to an address that is checked at connect, never redirected, cut short."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from services.notifier.channels.posting import Lost, NotConnected, Poster, target_of
from services.notifier.store.deliveries import Attempt
from services.runtime.addresses import AddressRefused
from services.runtime.public_resolver import resolve_any, resolve_public

ANSWER_KEPT = 4_096
USER_AGENT = "Sorami-Webhooks/1.0"
_OURS = f"Content-Type: application/json\r\nUser-Agent: {USER_AGENT}\r\nAccept: */*\r\n"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it goes out; `trusted` when the address is the operator's own."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    trusted: bool = False


class WebhookSender:
    """Two ways out: one that reaches public addresses alone, one for the addresses in the operator's settings."""

    def __init__(self, allowed: frozenset[tuple[str, int]], seconds: float) -> None:
        self._seconds = seconds

        async def guarded(host: str, port: int) -> list[str]:
            return await (resolve_any if (host, port) in allowed else resolve_public)(host, port)

        self._guarded = Poster(guarded)
        self._trusted = Poster(resolve_any)

    async def send(self, request: Outgoing) -> Attempt:
        """POST and return what came of it; nothing that a receiver does raises."""
        began = time.perf_counter()
        status: int | None = None
        answer: str | None = None
        error: str | None = None
        retry_after: float | None = None
        try:
            target = target_of(request.url)
            poster = self._trusted if request.trusted else self._guarded
            said = await poster.post(target, _written(target.lines, request), self._seconds)
            status, retry_after = said.status, retry_after_seconds(said.retry_after)
            answer = said.body[:ANSWER_KEPT].decode("utf-8", "replace").replace("\x00", "")
        except AddressRefused as refusal:
            error = refusal.detail
        except TimeoutError:
            error = f"no answer within {self._seconds:g} seconds"
        except (OSError, ValueError) as failure:
            error = _words(failure)
        return Attempt(status, error, int((time.perf_counter() - began) * 1000), answer, retry_after)

    async def close(self) -> None:
        """Close all connections."""
        self._guarded.close()
        self._trusted.close()


def _written(lines: str, request: Outgoing) -> bytes:
    head = f"{lines}{_OURS}Content-Length: {len(request.body)}\r\n"
    for name, value in request.headers.items():
        if not {"\r", "\n", "\0"}.isdisjoint(value):
            raise ValueError(f"the header {name} holds a line break")
        head += f"{name}: {value}\r\n"
    return f"{head}\r\n".encode() + request.body


def _words(failure: Exception) -> str:
    if isinstance(failure, ssl.SSLError):
        return "the certificate of the address was not accepted"
    if isinstance(failure, NotConnected):
        return "no connection could be made"
    if isinstance(failure, Lost):
        return "the connection broke off before an answer"
    return "the address is not well formed"


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
