"""People are told by mail and chat: in sentences, together when much happens, and never through a hole in the guard."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from contracts.events import PublishedFile
from contracts.failures import Failure, FailureCode
from contracts.status import JobStatus
from services.notifier.channels.apprise import AppriseChannels, ChannelRefused
from services.notifier.parts import Parts
from services.notifier.settings import NotifierSettings
from tests.integration.test_webhook_planning import moved, settled
from tests.support.console import console
from tests.support.postgres import Database
from tests.support.receiver import Receiver, running, status, then

ENDPOINTS = "/api/webhook-endpoints"
CHANNELS = "/api/channels"


@pytest.fixture
async def told() -> AsyncIterator[Receiver]:
    async for receiver in running(Receiver()):
        yield receiver


@pytest.fixture
async def notifier(migrated: Database, told: Receiver) -> AsyncIterator[tuple[httpx.AsyncClient, Parts]]:
    async with console(migrated.url, allowed=frozenset({("127.0.0.1", told.port)})) as (client, parts):
        sending = asyncio.create_task(parts.deliver_webhooks.run(parts.plan_deliveries))
        yield client, parts
        await parts.deliver_webhooks.stop()
        await sending


def ended(job_id: str, n: int = 1, **more: Any) -> Any:
    picture = PublishedFile(id="f", index=1, url="http://test/media/t/x.png", filename="x.png", format="PNG",
                            content_type="image/png")  # fmt: skip
    return moved(job_id, n, JobStatus.COMPLETED, files=[picture], **more)


async def channel(client: httpx.AsyncClient, told: Receiver, **body: Any) -> dict[str, Any]:
    address = f"ntfy://me:canary-password@127.0.0.1:{told.port}/sorami"
    answer = await client.post(CHANNELS, json={"url": address, **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_the_first_is_told_at_once_and_what_follows_in_one_message(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    made = await channel(client, told, digest_seconds=2)
    await parts.plan_deliveries([moved("job-0", 1), ended("job-0", 2)])
    (first,) = await told.wait_at("/")
    assert (first.body["title"], first.body["topic"]) == ("🎨 Images générées avec succès", "sorami")
    assert first.body["message"] == "1 image(s) créée(s). http://test/media/t/x.png"
    await settled(parts, 1)
    # As if it had taken no time to send, however busy this machine is.
    await parts.pool.execute("UPDATE sorami.deliveries SET sent_at = now()")
    await parts.plan_deliveries([ended(f"job-{number}") for number in range(1, 6)])
    await parts.plan_deliveries([ended(f"job-{number}") for number in range(6, 11)])
    _, second = await told.wait_at("/", 2)
    assert second.body["title"] == "Sorami : 10 nouvelles"
    assert second.body["message"].count("•") == 10
    rows = await settled(parts, 11)
    assert {row["state"] for row in rows} == {"delivered"}
    assert second.at - first.at > 1.5
    assert len(told.calls) == 2
    # The address is a secret: sealed, never shown, and told apart by a mark.
    shown = (await client.get(f"{CHANNELS}/{made['id']}")).json()
    assert (await client.get(CHANNELS)).json() == {"channels": [shown]}
    assert (await client.get(ENDPOINTS)).json() == {"endpoints": []}
    assert shown["url"].startswith("ntfy://…/")
    for table in ("webhook_endpoints", "webhook_secrets"):
        kept = await parts.pool.fetch(f"SELECT * FROM sorami.{table}")
        assert "canary-password" not in str([dict(row) for row in kept])


async def test_a_channel_that_fails_is_tried_again_as_one_message_and_shows_why(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, parts = notifier
    made = await channel(client, told, language="en", event_types=["job.failed"])
    told.plays["/"] = then(status(500), status(200))
    failure = Failure.of(FailureCode.QUOTA, "canary", provider_words="canary")
    await parts.plan_deliveries(
        [ended("fine", 1), *(moved(f"bad-{n}", n, JobStatus.FAILED, failure=failure) for n in (2, 3))]
    )
    await told.wait_at("/")
    listed: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while not listed or listed[0]["next_attempt_at"] is None or listed[0]["last_error"] is None:
            await asyncio.sleep(0.05)
            listed = (await client.get(f"{CHANNELS}/{made['id']}/deliveries")).json()["deliveries"]
    assert {(one["state"], one["attempts"]) for one in listed} == {("pending", 1)}
    assert len({one["next_attempt_at"] for one in listed}) == 1
    assert "500" in listed[0]["last_error"]
    _, second = await told.wait_at("/", 2)
    assert second.body["title"] == "Sorami: 2 messages"
    assert "The provider's quota is used up." in second.body["message"]
    assert "canary" not in second.raw.decode()


async def test_word_of_a_disabled_webhook_reaches_a_channel_in_a_sentence(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, _ = notifier
    await channel(client, told, language="en", event_types=["endpoint.disabled"])
    gone = (await client.post(ENDPOINTS, json={"url": told.url("/gone")})).json()
    told.plays["/gone"] = status(410)
    await client.post(f"{ENDPOINTS}/{gone['id']}/test")
    (call,) = await told.wait_at("/")
    assert call.body["title"] == "Webhook disabled"
    assert "127.0.0.1 is called no more: it answered 410" in call.body["message"]


async def test_a_channel_is_changed_tried_and_removed(
    notifier: tuple[httpx.AsyncClient, Parts], told: Receiver
) -> None:
    client, _ = notifier
    made = await channel(client, told)
    changed = await client.patch(f"{CHANNELS}/{made['id']}", json={"url": f"ntfy://127.0.0.1:{told.port}/other"})
    assert changed.status_code == 200, changed.text
    assert (await client.post(f"{CHANNELS}/{made['id']}/test")).status_code == 202
    (call,) = await told.wait_at("/")
    assert call.body["topic"] == "other"
    # A channel is no webhook endpoint.
    assert (await client.post(f"{ENDPOINTS}/{made['id']}/rotate", json={})).status_code == 404
    assert (await client.delete(f"{CHANNELS}/{made['id']}")).status_code == 204
    gone = await client.get(f"{CHANNELS}/{made['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "channel_not_found")


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("macosx://", "url_scheme"),
        ("json://example.com/", "url_scheme"),
        ("file:///etc/passwd", "url_scheme"),
        ("mailto://me:secret@example.com?to=you@example.com&pgpkey=/etc/passwd", "url_option"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?template=/etc/passwd", "url_option"),
        ("discord://nonsense", "url_malformed"),
    ],
)
async def test_a_channel_that_could_do_more_than_tell_is_refused(
    notifier: tuple[httpx.AsyncClient, Parts], address: str, code: str
) -> None:
    client, _ = notifier
    answer = await client.post(CHANNELS, json={"url": address})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)


async def test_no_channel_reaches_what_is_not_public(told: Receiver) -> None:
    """Whatever the library resolves or is redirected to, the connection itself is judged."""
    closed = AppriseChannels(["ntfy", "mailto"], frozenset())
    for address in (
        f"ntfy://127.0.0.1:{told.port}/x",
        f"ntfy://localhost:{told.port}/x",
        f"ntfy://[::1]:{told.port}/x",
        "mailto://me:secret@example.com?smtp=127.0.0.1&to=you@example.com",
    ):
        attempt = await closed.send(address, "t", "b")
        assert (attempt.taken, attempt.status_code) == (False, None)
        assert attempt.error
    elsewhere = Receiver()
    await elsewhere.start()
    try:
        told.plays["/"] = status(307, Location=elsewhere.url("/inside"))
        open_ = AppriseChannels(["ntfy"], frozenset({("127.0.0.1", told.port)}))
        assert not (await open_.send(f"ntfy://127.0.0.1:{told.port}/x", "t", "b")).taken
    finally:
        await elsewhere.stop()
    assert (len(told.calls), elsewhere.calls) == (1, [])


async def test_where_apprise_is_not_installed_a_channel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ChannelRefused) as refused:
        await AppriseChannels(["ntfy"], frozenset()).check("ntfy://topic")
    assert refused.value.code == "channels_unavailable"


def test_services_that_run_things_on_this_machine_are_not_among_those_of_the_operator() -> None:
    offered = set(NotifierSettings.model_fields["channels"].default)
    assert not offered & {"macosx", "windows", "dbus", "glib", "gnome", "kde", "syslog", "json", "xml", "form"}
