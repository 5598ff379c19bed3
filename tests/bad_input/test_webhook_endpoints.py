"""Webhook endpoints that cannot be: each gets its stable code, and nothing is made (W1 to W6)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from services.notifier.parts import Parts
from tests.support.console import ORGANIZATION, console
from tests.support.postgres import Database, PostgresServer

ENDPOINTS = "/api/webhook-endpoints"
# What the tests may use without asking any name server.
ALLOWED = frozenset({("receiver.test", 443), ("receiver.test", 80), ("receiver.test", 8443)})
GOOD = "https://receiver.test/hook"
WHSEC = "whsec_"

URLS = {
    # W1 / U1
    "file:///etc/passwd": "url_scheme",
    "gopher://x/": "url_scheme",
    "data:text/plain,x": "url_scheme",
    "ftp://x/": "url_scheme",
    "javascript:alert(1)": "url_scheme",
    "//x/": "url_scheme",
    "hook": "url_scheme",
    # U2
    "https://127.0.0.1/": "url_forbidden_address",
    "https://127.1/": "url_forbidden_address",
    "https://2130706433/": "url_forbidden_address",
    "https://0x7f000001/": "url_forbidden_address",
    "https://0177.0.0.1/": "url_forbidden_address",
    "https://0/": "url_forbidden_address",
    "https://①②⑦.⓪.⓪.①/": "url_forbidden_address",
    "https://localhost/": "url_forbidden_address",
    "https://localhost./": "url_forbidden_address",
    # U3
    "https://[::1]/": "url_forbidden_address",
    "https://[::ffff:127.0.0.1]/": "url_forbidden_address",
    "https://[::127.0.0.1]/": "url_forbidden_address",
    "https://[64:ff9b::7f00:1]/": "url_forbidden_address",
    "https://[2002:7f00:1::]/": "url_forbidden_address",
    "https://[fec0::1]/": "url_forbidden_address",
    "https://[fd00:ec2::254]/": "url_forbidden_address",
    # U4
    "https://169.254.169.254/latest": "url_forbidden_address",
    "https://100.100.100.200/": "url_forbidden_address",
    "https://168.63.129.16/": "url_forbidden_address",
    "https://metadata.google.internal.invalid/": "url_forbidden_address",
    # U5: ourselves
    "https://test/api": "url_forbidden_address",
    "https://10.0.0.1/": "url_forbidden_address",
    "https://kafka.default.svc.cluster.local/": "url_forbidden_address",
    # U8
    "https://user:pw@receiver.test/": "url_malformed",
    "https://good.test\\@evil.test/": "url_malformed",
    "https://receiver.test/\thook": "url_malformed",
    "https://receiver.test/ho ok": "url_malformed",
    "https://": "url_malformed",
    "https://[::1": "url_malformed",
    # U9
    "https://receiver.example:22/": "url_port",
    "https://receiver.example:6379/": "url_port",
    "https://receiver.example:0/": "url_port",
    "https://receiver.example:99999/": "url_port",
    # U10
    "https://receiver.test/" + "x" * 2_050: "url_too_long",
    f"https://{'x' * 64}.test/": "url_malformed",
    "": "url_empty",
}

BODIES: list[tuple[dict[str, Any], str]] = [
    # W4
    ({"event_types": ["job.*"]}, "event_type_unknown"),
    ({"event_types": ["job.exploded"]}, "event_type_unknown"),
    ({"event_types": []}, "event_type_unknown"),
    ({"event_types": "job.completed"}, "not_a_list"),
    ({"event_types": [1]}, "not_a_string"),
    ({"kinds": []}, "kinds_unsupported"),
    ({"kinds": ["hologram"]}, "kinds_unsupported"),
    ({"kind_urls": {"hologram": GOOD}}, "kinds_unsupported"),
    ({"kind_urls": {"video": "https://10.0.0.1/"}}, "url_forbidden_address"),
    # W5
    ({"secret": WHSEC + "c2hvcnQ4Yg=="}, "secret_weak"),
    ({"secret": WHSEC + "%%%not-base64%%%"}, "secret_weak"),
    ({"secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "secret_weak"),
    ({"secret": "sorami-webhook-secret-key-2025"}, "secret_weak"),
    ({"secret": WHSEC + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "secret_weak"),
    ({"secret": WHSEC + "A" * 200}, "secret_weak"),
    ({"secret": ""}, "secret_weak"),
    ({"secret": "sorami-webhook-secret-key-2025", "dialect": "legacy"}, "secret_weak"),
    ({"secret": 5}, "not_a_string"),
    # W6
    ({"headers": {"Host": "evil"}}, "header_forbidden"),
    ({"headers": {"content-length": "5"}}, "header_forbidden"),
    ({"headers": {"Webhook-Signature": "v1,x"}}, "header_forbidden"),
    ({"headers": {"webhook-id": "x"}}, "header_forbidden"),
    ({"headers": {"X-Webhook-Secret": "x"}}, "header_forbidden"),
    ({"headers": {"X-A": "a\r\nX-B: b"}}, "header_forbidden"),
    ({"headers": {"X-A": "a\n"}}, "header_forbidden"),
    ({"headers": {"X A": "a"}}, "header_forbidden"),
    ({"headers": {"": "a"}}, "header_forbidden"),
    ({"headers": {f"X-{n}": "a" for n in range(11)}}, "headers_too_long"),
    # the rest of the form
    ({"owner_id": "x"}, "unknown_field"),
    ({"dialect": "soap"}, "dialect_unsupported"),
    ({"throttle_per_second": 0}, "throttle_per_second_out_of_range"),
    ({"throttle_per_second": True}, "not_an_integer"),
    ({"ordered": "yes"}, "not_a_boolean"),
    ({"description": "a\x00b"}, "description_control_character"),
    ({"description": "x" * 501}, "description_too_long"),
]


@pytest.fixture(scope="module")
def database(postgres: PostgresServer, migrated_name: str) -> Iterator[Database]:
    with postgres.lent(migrated_name) as database:
        yield database


@pytest.fixture
async def notifier(database: Database) -> AsyncIterator[tuple[httpx.AsyncClient, Parts]]:
    async with console(database.url, allowed=ALLOWED) as wired:
        yield wired
        await wired[1].pool.execute("DELETE FROM sorami.webhook_endpoints")


@pytest.mark.parametrize(("url", "code"), URLS.items())
async def test_an_address_that_cannot_be_is_refused(
    notifier: tuple[httpx.AsyncClient, Parts], url: str, code: str
) -> None:
    client, parts = notifier
    answer = await client.post(ENDPOINTS, json={"url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert len(url) < 8 or url not in answer.text
    assert await parts.pool.fetchval("SELECT count(*) FROM sorami.webhook_endpoints") == 0


@pytest.mark.parametrize(("body", "code"), BODIES)
async def test_a_body_that_cannot_be_is_refused(
    notifier: tuple[httpx.AsyncClient, Parts], body: dict[str, Any], code: str
) -> None:
    client, parts = notifier
    answer = await client.post(ENDPOINTS, json={"url": GOOD} | body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert await parts.pool.fetchval("SELECT count(*) FROM sorami.webhook_endpoints") == 0
    made = (await client.post(ENDPOINTS, json={"url": GOOD})).json()
    if not {"secret", "dialect", "owner_id"} & body.keys():
        changed = await client.patch(f"{ENDPOINTS}/{made['id']}", json=body)
        assert (changed.status_code, changed.json()["code"]) == (422, code)


async def test_http_is_refused_in_production_and_for_secrets_that_travel_openly(database: Database) -> None:
    async with console(database.url, allowed=ALLOWED, environment="production") as (client, _):
        for url in ("http://receiver.test/hook", "http://example.com/hook"):
            answer = await client.post(ENDPOINTS, json={"url": url})
            assert (answer.status_code, answer.json()["code"]) == (422, "https_required")
    async with console(database.url, allowed=ALLOWED) as (client, _):
        answer = await client.post(ENDPOINTS, json={"url": "http://example.com/hook", "dialect": "legacy"})
        assert (answer.status_code, answer.json()["code"]) == (422, "https_required")


async def test_there_are_fifty_at_most_however_many_are_asked_for_at_once(
    notifier: tuple[httpx.AsyncClient, Parts],
) -> None:
    client, _ = notifier
    answers = await asyncio.gather(*(client.post(ENDPOINTS, json={"url": f"{GOOD}/{n}"}) for n in range(55)))
    assert sorted(answer.status_code for answer in answers) == [201] * 50 + [409] * 5
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["code"] == "too_many_endpoints"
    assert len((await client.get(ENDPOINTS)).json()["endpoints"]) == 50


async def test_an_address_is_taken_once_in_whatever_form_it_comes(notifier: tuple[httpx.AsyncClient, Parts]) -> None:
    client, _ = notifier
    made = [(await client.post(ENDPOINTS, json={"url": f"{GOOD}{end}"})).json() for end in ("", "/other")]
    for url in (GOOD, "HTTPS://Receiver.Test:443/hook", GOOD + "#part"):
        answer = await client.post(ENDPOINTS, json={"url": url})
        assert (answer.status_code, answer.json()["code"]) == (409, "endpoint_exists")
    answer = await client.patch(f"{ENDPOINTS}/{made[1]['id']}", json={"url": GOOD})
    assert (answer.status_code, answer.json()["code"]) == (409, "endpoint_exists")


async def test_only_an_admin_makes_an_endpoint_for_the_organisation(
    notifier: tuple[httpx.AsyncClient, Parts],
) -> None:
    client, _ = notifier
    answer = await client.post(ENDPOINTS, json={"url": GOOD, "organization": True})
    assert (answer.status_code, answer.json()["code"]) == (403, "organization_admin_required")
    assert ORGANIZATION not in answer.text


async def test_without_a_key_to_seal_with_nothing_is_managed(database: Database) -> None:
    async with console(database.url, sealed=False) as (client, _):
        for method, place in (("GET", ""), ("POST", ""), ("GET", "/x"), ("POST", "/x/rotate"), ("GET", "/x/stats")):
            answer = await client.request(method, ENDPOINTS + place, json={})
            assert (answer.status_code, answer.json()["code"]) == (503, "encryption_key_unset")


async def test_nobody_gets_in_without_showing_who_they_are(notifier: tuple[httpx.AsyncClient, Parts]) -> None:
    client, _ = notifier
    answer = await client.get(ENDPOINTS, headers={"Authorization": ""})
    assert (answer.status_code, answer.json()["code"]) == (401, "auth_missing")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"state": "lost"}, 422, "state_unsupported"),
        ({"type": "job.*"}, 422, "type_unsupported"),
        ({"since": "yesterday"}, 422, "since_invalid"),
        ({"since": "0.5"}, 422, "since_invalid"),
        ({"since": "2026-02-30T00:00:00Z"}, 422, "since_invalid"),
        ({"limit": "0"}, 422, "limit_out_of_range"),
        ({"limit": "10001"}, 422, "limit_out_of_range"),
        ({"cursor": "x"}, 400, "cursor_invalid"),
        ({"page": "2"}, 422, "unknown_field"),
    ],
)
async def test_a_list_of_deliveries_that_cannot_be_is_refused(
    notifier: tuple[httpx.AsyncClient, Parts], query: dict[str, str], status: int, code: str
) -> None:
    client, _ = notifier
    made = (await client.post(ENDPOINTS, json={"url": GOOD})).json()
    answer = await client.get(f"{ENDPOINTS}/{made['id']}/deliveries", params=query)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.parametrize("since", ["", "yesterday", 5, None, "2999-01-01T00:00:00Z", "x" * 65])
async def test_recovering_since_what_is_no_moment_of_the_past_is_refused(
    notifier: tuple[httpx.AsyncClient, Parts], since: Any
) -> None:
    client, _ = notifier
    made = (await client.post(ENDPOINTS, json={"url": GOOD})).json()
    answer = await client.post(f"{ENDPOINTS}/{made['id']}/recover", json={"since": since})
    assert (answer.status_code, answer.json()["code"]) == (422, "since_invalid")


async def test_a_disabled_endpoint_is_sent_nothing(notifier: tuple[httpx.AsyncClient, Parts]) -> None:
    client, _ = notifier
    made = (await client.post(ENDPOINTS, json={"url": GOOD})).json()
    await client.patch(f"{ENDPOINTS}/{made['id']}", json={"state": "disabled"})
    for place in ("test", "deliveries/x/resend"):
        answer = await client.post(f"{ENDPOINTS}/{made['id']}/{place}")
        assert (answer.status_code, answer.json()["code"]) == (409, "endpoint_disabled")
