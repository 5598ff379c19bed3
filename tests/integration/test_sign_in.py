"""Signing in to the page: at an OIDC provider with PKCE, with an API key, by a link; and out again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from contracts.ids import new_id
from services.runtime.identity import session_hash
from tests.support.gateway import RunningGateway, running_gateway
from tests.support.identity_provider import CLIENT, IdentityProvider

COOKIE = "sorami_session"


def settings(provider: IdentityProvider) -> dict[str, Any]:
    return {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT}


@pytest.fixture(scope="module")
async def door(gateway: RunningGateway) -> AsyncIterator[RunningGateway]:
    """A gateway where people sign in at the provider."""
    async with running_gateway(gateway.database, gateway.provider, **settings(gateway.provider)) as door:
        yield door


@pytest.fixture
def idp(door: RunningGateway) -> IdentityProvider:
    door.provider.claims, door.provider.refuses, door.provider.client_secret = {}, None, None
    door.provider.subject = f"user_{new_id()}"
    return door.provider


async def to_provider(door: RunningGateway, browser: httpx.AsyncClient, path: str = "/signin/oidc") -> str:
    """Follow the button to the provider and return where that sends the browser back to."""
    begun = await browser.get(path)
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient() as outside:
        back = await outside.get(begun.headers["location"])
    return back.headers["location"]


async def sign_in(door: RunningGateway, browser: httpx.AsyncClient, path: str = "/signin/oidc") -> httpx.Response:
    return await browser.get(await to_provider(door, browser, path))


def problem_of(answer: httpx.Response) -> str:
    """Return the problem that a sign-in page says."""
    return answer.text.partition('data-problem="')[2].partition('"')[0]


async def test_a_person_signs_in_at_the_provider_and_out_again(door: RunningGateway, idp: IdentityProvider) -> None:
    idp.claims = {"email": "a@example.com", "name": "Ada", "v": 2, "o": {"id": "org_oidc", "rol": "admin"}}
    async with door.browser() as browser:
        assert (await browser.get("/api/me")).status_code == 401
        answer = await sign_in(door, browser, "/signin/oidc?return_to=/gallery")
        assert (answer.status_code, answer.headers["location"]) == (303, "/gallery")
        cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith(COOKIE))
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        me = (await browser.get("/api/me")).json()
        assert (me["email"], me["name"], me["way"]) == ("a@example.com", "Ada", "session")
        assert me["organization"]["role"] == "admin"
        kept = dict(browser.cookies)
        out = await browser.post("/signout", headers={"Origin": door.url})
        assert out.status_code == 204
        assert COOKIE not in browser.cookies
        assert (await browser.post("/signout", headers={"Origin": door.url})).status_code == 204
    async with door.browser(cookies=kept) as thief:
        again = await thief.get("/api/me")
        assert (again.status_code, again.json()["code"]) == (401, "session_expired")
    user_id = me["user_id"]
    said = await door.rows("SELECT action, detail::text FROM sorami.audit_log WHERE actor = $1 ORDER BY id", user_id)
    assert said == [("session.opened", '{"way": "oidc"}'), ("session.closed", None)]


async def test_the_provider_is_asked_with_pkce_state_and_nonce(door: RunningGateway, idp: IdentityProvider) -> None:
    async with door.browser() as browser:
        asked = {
            name: values[0]
            for name, values in parse_qs(
                urlsplit((await browser.get("/signin/oidc")).headers["location"]).query
            ).items()
        }
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 32
    assert len(asked["nonce"]) >= 32
    assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
    assert asked["scope"] == "openid profile email"
    assert asked["redirect_uri"] == f"{door.url}/signin/callback"


async def test_the_person_is_the_same_as_the_bearer_of_a_token(door: RunningGateway, idp: IdentityProvider) -> None:
    async with door.browser() as browser:
        await sign_in(door, browser)
        by_cookie = (await browser.get("/api/me")).json()["user_id"]
    by_token = (await door.get("/api/me", idp.sign(sub=idp.subject))).json()["user_id"]
    assert by_cookie == by_token


async def test_subjects_of_another_issuer_are_other_people(door: RunningGateway, idp: IdentityProvider) -> None:
    other = IdentityProvider(subject=idp.subject)
    await other.start()
    async with running_gateway(door.database, idp, **settings(other)) as mine, mine.browser() as browser:
        await sign_in(mine, browser)
        me = (await browser.get("/api/me")).json()
        by_token = (await mine.get("/api/me", idp.sign(sub=idp.subject))).json()
    await other.stop()
    assert me["user_id"] != by_token["user_id"]
    subject = await door.row('SELECT "clerkId" FROM users WHERE id = $1', me["user_id"])
    assert subject == (f"{other.issuer}|{idp.subject}",)


async def test_an_answer_is_taken_once(door: RunningGateway, idp: IdentityProvider) -> None:
    async with door.browser() as browser:
        back = await to_provider(door, browser)
        kept = dict(browser.cookies)
        assert (await browser.get(back)).status_code == 303
    async with door.browser(cookies=kept) as again:
        answer = await again.get(back)
        assert (answer.status_code, problem_of(answer)) == (400, "signin_state_unknown")


async def test_an_answer_counts_only_in_the_browser_that_began(door: RunningGateway, idp: IdentityProvider) -> None:
    async with door.browser() as attacker, door.browser() as victim:
        back = await to_provider(door, attacker)
        await victim.get("/signin/oidc")
        answer = await victim.get(back)
        assert (answer.status_code, problem_of(answer)) == (400, "signin_state_unknown")
        assert COOKIE not in victim.cookies


@pytest.mark.parametrize("query", ["", "?state=x", "?state=x&code=y", "?error=access_denied", "?state=%00&code=%00"])
async def test_an_answer_nobody_waits_for_is_refused(door: RunningGateway, query: str) -> None:
    async with door.browser() as browser:
        await browser.get("/signin/oidc")
        answer = await browser.get(f"/signin/callback{query}")
        assert (answer.status_code, problem_of(answer)) == (400, "signin_state_unknown")


async def test_a_state_that_is_too_old_is_refused(door: RunningGateway, idp: IdentityProvider) -> None:
    async with door.browser() as browser:
        back = await to_provider(door, browser)
        await asyncio.to_thread(door.database.execute, "UPDATE sorami.signin_states SET expires_at = now()")
        assert (await browser.get(back)).status_code == 400
        await browser.get("/signin/oidc")
    over = await door.row("SELECT count(*) FROM sorami.signin_states WHERE expires_at <= now()")
    assert over == (0,)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another"]},
        {"aud": None},
        {"azp": "another-client"},
        {"iss": "https://elsewhere.example"},
        {"exp": 1},
        {"sts": "pending"},
    ],
    ids=str,
)
async def test_an_id_token_that_is_not_for_this_sign_in_is_refused(
    door: RunningGateway, idp: IdentityProvider, claims: dict[str, Any]
) -> None:
    idp.claims = claims
    async with door.browser() as browser:
        answer = await sign_in(door, browser)
        assert answer.status_code in (401, 403)
        assert problem_of(answer) == "signin_refused"
        assert COOKIE not in browser.cookies


async def test_an_id_token_for_several_that_names_us_is_taken(door: RunningGateway, idp: IdentityProvider) -> None:
    idp.claims = {"aud": [CLIENT, "another"], "azp": CLIENT}
    async with door.browser() as browser:
        assert (await sign_in(door, browser)).status_code == 303


async def test_whoever_the_provider_refuses_is_told_so(door: RunningGateway, idp: IdentityProvider) -> None:
    idp.refuses = "access_denied"
    async with door.browser() as browser:
        answer = await sign_in(door, browser)
        assert (answer.status_code, problem_of(answer)) == (401, "signin_refused")


async def test_a_code_that_the_provider_does_not_know_is_refused(door: RunningGateway, idp: IdentityProvider) -> None:
    async with door.browser() as browser:
        back = await to_provider(door, browser)
        idp._codes.clear()
        answer = await browser.get(back)
        assert (answer.status_code, problem_of(answer)) == (401, "signin_refused")


async def test_a_client_with_a_secret_proves_it(door: RunningGateway, idp: IdentityProvider) -> None:
    idp.client_secret = "s:e/c ret"
    idp.token_requests.clear()
    async with door.browser() as browser:
        assert (await sign_in(door, browser)).status_code == 401
    # The form-encoded secret of RFC 6749.
    idp.client_secret = "s%3Ae%2Fc+ret"
    given = settings(idp) | {"oidc_client_secret": SecretStr("s:e/c ret")}
    async with running_gateway(door.database, idp, **given) as mine, mine.browser() as browser:
        assert (await sign_in(mine, browser)).status_code == 303
    assert "client_secret" not in idp.token_requests[-1]


async def test_a_provider_that_is_away_is_said_to_be(door: RunningGateway) -> None:
    away = IdentityProvider()
    await away.start()
    await away.stop()
    async with running_gateway(door.database, door.provider, **settings(away)) as mine, mine.browser() as browser:
        answer = await browser.get("/signin/oidc")
        assert (answer.status_code, problem_of(answer)) == (503, "signin_unavailable")


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "/api/me", "x", ""])
async def test_signing_in_leads_to_our_own_pages_alone(door: RunningGateway, idp: IdentityProvider, path: str) -> None:
    async with door.browser() as browser:
        back = await to_provider(door, browser, str(httpx.URL("/signin/oidc", params={"return_to": path})))
        assert (await browser.get(back)).headers["location"] == "/"


async def test_another_name_of_the_machine_goes_to_the_public_one_first(door: RunningGateway) -> None:
    port = urlsplit(door.url).port
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(f"http://localhost:{port}/signin/oidc?return_to=/gallery")
    assert answer.headers["location"] == f"{door.url}/signin/oidc?return_to=/gallery"


async def test_a_session_is_always_new_and_ends_the_one_before(door: RunningGateway, idp: IdentityProvider) -> None:
    planted = "planted-by-somebody-else"
    async with door.browser(cookies={COOKIE: planted}) as browser:
        answer = await sign_in(door, browser)
        first = answer.cookies[COOKIE]
        assert first != planted
    async with door.browser(cookies={COOKIE: first}) as browser:
        second = (await sign_in(door, browser)).cookies[COOKIE]
    assert await door.row("SELECT 1 FROM sorami.sessions WHERE token_hash = $1", session_hash(first)) is None
    assert await door.row("SELECT 1 FROM sorami.sessions WHERE token_hash = $1", session_hash(second)) == (1,)


async def test_a_session_ends_when_its_time_is_over_however_much_it_is_used(
    door: RunningGateway, idp: IdentityProvider
) -> None:
    async with door.browser() as browser:
        await sign_in(door, browser)
        hashed = session_hash(browser.cookies[COOKIE])
        lasts = "SELECT expires_at FROM sorami.sessions WHERE token_hash = $1"
        before = await door.row(lasts, hashed)
        assert (await browser.get("/api/me")).status_code == 200
        assert await door.row(lasts, hashed) == before
        await asyncio.to_thread(
            door.database.execute, "UPDATE sorami.sessions SET expires_at = now() WHERE token_hash = $1", hashed
        )
        assert (await browser.get("/api/me")).json()["code"] == "session_expired"
        await sign_in(door, browser)
    assert await door.row(lasts, hashed) is None


WRITES = [
    ({"Origin": "own"}, 202),
    ({"Sec-Fetch-Site": "same-origin"}, 202),
    ({}, 403),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "none"}, 403),
]


@pytest.mark.parametrize(("headers", "status"), WRITES, ids=[str(headers) for headers, _ in WRITES])
async def test_S45_only_our_own_pages_write_with_the_cookie(
    door: RunningGateway, idp: IdentityProvider, headers: dict[str, str], status: int
) -> None:
    sent = {name: door.url if value == "own" else value for name, value in headers.items()}
    async with door.browser() as browser:
        await sign_in(door, browser)
        body = {"prompt": "Un chat", "model": "instant"}
        answer = await browser.post("/api/images/generate", json=body, headers=sent)
        assert answer.status_code == status
        if status == 403:
            assert answer.json()["code"] == "origin_not_allowed"
            assert (await browser.post("/signout", headers=sent)).status_code == 403
            assert (await browser.get("/api/me")).status_code == 200


async def key_of(gateway: RunningGateway, *scopes: str) -> dict[str, Any]:
    token = gateway.provider.sign(sub=f"user_{new_id()}")
    made: dict[str, Any] = (
        await gateway.ask("POST", "/api/keys", token, json={"name": "page", "scopes": list(scopes)})
    ).json()
    return made | {"token": token}


async def test_an_api_key_signs_the_page_in_where_nobody_else_can(gateway: RunningGateway) -> None:
    key = await key_of(gateway, "media:read", "account")
    async with gateway.browser(headers={"Origin": gateway.url}) as browser:
        answer = await browser.post("/signin/key", json={"key": f" {key['secret']} "})
        assert answer.status_code == 204
        me = (await browser.get("/api/me")).json()
        assert (me["way"], me["scopes"]) == ("session", ["account", "media:read"])
        assert (await browser.get("/api/images/x/status")).json()["code"] == "scope_missing"
        widened = await browser.post("/api/keys", json={"name": "more", "scopes": ["jobs:write"]})
        assert widened.json()["code"] == "scopes_beyond_own"
        assert (await gateway.ask("DELETE", f"/api/keys/{key['id']}", key["token"])).status_code == 204
        assert (await browser.get("/api/me")).json()["code"] == "session_expired"
        again = await browser.post("/signin/key", json={"key": key["secret"]})
        assert (again.status_code, again.json()["code"]) == (401, "key_revoked")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"key": "x"}, 401, "key_invalid"),
        ({"key": ""}, 422, "key_empty"),
        ({"key": "x" * 201}, 422, "key_too_long"),
        ({}, 422, "key_required"),
        ([], 422, "body_not_object"),
    ],
    ids=str,
)
async def test_what_is_not_a_key_does_not_sign_in(gateway: RunningGateway, body: Any, status: int, code: str) -> None:
    async with gateway.browser(headers={"Origin": gateway.url}) as browser:
        answer = await browser.post("/signin/key", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert COOKIE not in browser.cookies


async def test_a_page_of_another_site_signs_nobody_in(gateway: RunningGateway) -> None:
    key = await key_of(gateway, "account")
    async with gateway.browser(headers={"Origin": "https://evil.example"}) as browser:
        answer = await browser.post("/signin/key", json={"key": key["secret"]})
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")


async def test_where_people_sign_in_at_the_provider_a_key_does_not(door: RunningGateway) -> None:
    key = await key_of(door, "account")
    async with door.browser(headers={"Origin": door.url}) as browser:
        answer = await browser.post("/signin/key", json={"key": key["secret"]})
        assert (answer.status_code, answer.json()["code"]) == (403, "key_signin_disabled")


async def test_the_sign_in_page_offers_what_is_configured(gateway: RunningGateway, door: RunningGateway) -> None:
    for running, ways in ((gateway, "key link"), (door, "oidc link")):
        answer = await running.get("/signin")
        assert answer.status_code == 200
        assert f'data-ways="{ways}" data-problem=""' in answer.text
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
    for path in ("/signin/oidc", "/signin/callback"):
        answer = await gateway.get(path)
        assert (answer.status_code, problem_of(answer)) == (404, "signin_unset")


async def test_a_link_signs_in_once(gateway: RunningGateway) -> None:
    ticket = gateway.provider.sign(sub=f"user_{new_id()}", use="signin", jti=new_id())
    async with gateway.browser() as browser:
        assert (await browser.get("/signin", params={"ticket": ticket})).status_code == 303
        assert (await browser.get("/api/me")).json()["way"] == "session"
        again = await browser.get("/signin", params={"ticket": ticket})
        assert again.status_code == 401
        assert "has expired" in again.text
    assert (await gateway.get("/api/me", ticket)).status_code == 401


async def test_over_https_the_cookie_is_secure_and_of_this_host_alone(door: RunningGateway) -> None:
    port = urlsplit(door.url).port
    given = {"public_url": "https://sorami.example", "allow_hosts": [f"127.0.0.1:{port}"]}
    async with running_gateway(door.database, door.provider, **given) as mine:
        key = await key_of(mine, "account")
        answer = await mine.ask(
            "POST", "/signin/key", json={"key": key["secret"]}, headers={"Origin": "https://sorami.example"}
        )
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-sorami_session=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        secret = answer.cookies["__Host-sorami_session"]
        for name, status in (("__Host-sorami_session", 200), ("sorami_session", 401)):
            assert (await mine.get("/api/me", Cookie=f"{name}={secret}")).status_code == status
