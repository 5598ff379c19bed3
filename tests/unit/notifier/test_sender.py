"""What the sender takes from an answer, and where it refuses to go."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from services.notifier.channels.webhooks import Outgoing, WebhookSender, retry_after_seconds
from services.notifier.store.deliveries import Attempt
from services.notifier.usecases.deliver_webhooks import SCHEDULE, _verdict
from tests.support.receiver import Receiver, endless

REFUSED = "the address does not lead to the public internet"
INSIDE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://localhost/",
    "http://localhost./",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fec0::1]/",
    "http://[fd00:ec2::254]/",
    "http://169.254.169.254/latest/meta-data",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://name-that-does-not-exist.invalid/",
]


async def send(url: str, allowed: frozenset[tuple[str, int]] = frozenset(), **options: Any) -> Attempt:
    sender = WebhookSender(allowed, 3)
    try:
        return await sender.send(Outgoing(url, b"{}", {}, **options))
    finally:
        await sender.close()


@pytest.mark.parametrize("url", INSIDE)
async def test_no_connection_is_made_to_what_is_not_public(url: str) -> None:
    attempt = await send(url)
    assert attempt.status_code is None
    assert attempt.error in (REFUSED, "the address is not well formed")


async def test_a_name_that_is_public_at_first_and_private_later_is_refused_at_connect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One public and one private answer: all must be public."""

    async def answers(*_: Any, **__: Any) -> Any:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("93.184.216.34", "127.0.0.1")
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answers)
    assert (await send("http://rebinding.example/")).error == REFUSED


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = Receiver()
    await receiver.start()
    try:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, receiver.url("/proxy"))
        assert (await send("http://10.0.0.1/")).error == REFUSED
        attempt = await send(receiver.url("/x"), frozenset({("127.0.0.1", receiver.port)}))
        assert (attempt.status_code, [call.path for call in receiver.calls]) == (200, ["/x"])
    finally:
        await receiver.stop()


async def test_an_endless_answer_is_cut() -> None:
    receiver = Receiver(plays={"/": endless})
    await receiver.start()
    try:
        attempt = await send(receiver.url("/"), trusted=True)
    finally:
        await receiver.stop()
    assert (attempt.status_code, len(attempt.answer or "")) == (200, 4_096)
    assert attempt.duration_ms < 2_000


def test_retry_after_is_read_in_seconds_and_as_a_date_and_garbage_is_ignored() -> None:
    assert retry_after_seconds("120") == 120
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 95 < (retry_after_seconds(date) or 0) <= 100
    assert retry_after_seconds(format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)) == 0
    for garbage in (None, "", "soon", "-5", "1e9", "²", "Mon, 99 Foo 2026", "1.5"):
        assert retry_after_seconds(garbage) is None


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [(None, 240, 360), (1, 300, 300), (400, 400, 400), (10 * 365 * 86_400, 86_400, 86_400)],
)
def test_what_a_receiver_asks_for_is_kept_between_the_schedule_and_a_day(
    asked: float | None, least: float, most: float
) -> None:
    state, pause = _verdict(Attempt(503, None, 1, "", asked), 2)
    assert state == "pending"
    assert least <= pause <= most


def test_after_the_whole_schedule_a_delivery_is_given_up() -> None:
    failed = Attempt(500, None, 1, "")
    assert _verdict(failed, len(SCHEDULE))[0] == "pending"
    assert _verdict(failed, len(SCHEDULE) + 1) == ("exhausted", 0)
    assert 3 * 86_400 < sum(SCHEDULE) < 4 * 86_400
