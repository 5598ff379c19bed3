"""Rows H1 to H12: who is not believed, with which code, and that nothing of it is echoed."""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from services.runtime import tokens
from tests.support.gateway import RunningGateway, running_gateway
from tests.support.identity_provider import IdentityProvider, new_rsa_key

ROUTE = "/api/me"
OTHER_KEY = new_rsa_key()


def signed_with_the_public_key(provider: IdentityProvider) -> str:
    """Sign by HS256 with the published key as the shared secret, which PyJWT itself refuses to do."""
    pem = provider.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head = {"alg": "HS256", "typ": "JWT", "kid": provider.key_id}
    parts = [jwt.utils.base64url_encode(json.dumps(part).encode()) for part in (head, provider.told())]
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(b".".join(parts), pem)
    return b".".join([*parts, jwt.utils.base64url_encode(signature)]).decode()


def unsigned(provider: IdentityProvider) -> str:
    return jwt.encode(provider.told(), None, "none", {"kid": provider.key_id})  # type: ignore[arg-type]


def soon(seconds: int) -> dict[str, Any]:
    moment = int(time.time()) + seconds
    return {"iat": moment, "nbf": moment, "exp": moment + 60}


REFUSED: list[tuple[str, Callable[[IdentityProvider], str], int, str]] = [
    ("H2 another key", lambda p: p.sign(key=OTHER_KEY), 401, "token_invalid"),
    ("H2 three parts", lambda p: "a.b.c", 401, "token_invalid"),
    ("H3 none", unsigned, 401, "token_invalid"),
    ("H3 HS256", signed_with_the_public_key, 401, "token_invalid"),
    ("H4 exp", lambda p: p.sign(exp=None), 401, "token_invalid"),
    ("H4 iat", lambda p: p.sign(iat=None), 401, "token_invalid"),
    ("H4 nbf", lambda p: p.sign(nbf=None), 401, "token_invalid"),
    ("H4 sub", lambda p: p.sign(sub=None), 401, "token_invalid"),
    ("H4 iss", lambda p: p.sign(iss=None), 401, "token_invalid"),
    ("H4 over", lambda p: p.sign(exp=int(time.time()) - 6), 401, "token_expired"),
    ("H5 ahead", lambda p: p.sign(**soon(600)), 401, "token_not_yet_valid"),
    ("H6 another site", lambda p: p.sign(azp="https://evil.example"), 401, "azp_not_allowed"),
    ("H6 absent", lambda p: p.sign(azp=None), 401, "azp_not_allowed"),
    ("H6 list", lambda p: p.sign(azp=["https://app.example"]), 401, "azp_not_allowed"),
    ("H7", lambda p: p.sign(iss="https://another.clerk.accounts.dev"), 401, "token_invalid"),
    ("H8", lambda p: p.sign(key_id="unknown"), 401, "token_invalid"),
    ("H9", lambda p: p.sign(sts="pending"), 403, "session_pending"),
    ("H10", lambda p: "x" * 20_000, 401, "token_invalid"),
    ("H10 signed", lambda p: p.sign(padding="x" * 20_000), 401, "token_invalid"),
]


@pytest.mark.parametrize(("row", "make", "status", "code"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_a_token_is_refused_with_its_own_code(
    gateway: RunningGateway, row: str, make: Callable[[IdentityProvider], str], status: int, code: str
) -> None:
    token = make(gateway.provider)
    answer = await gateway.get(ROUTE, token)
    assert (answer.status_code, answer.json()["code"]) == (status, code), row
    assert answer.headers["content-type"] == "application/problem+json"
    assert token[:40] not in answer.text or len(token) < 40
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"] == "Non authentifié"


@pytest.mark.parametrize("row", ["H2 H3 H4 H7 H8 H10"])
async def test_every_cryptographic_failure_is_told_in_the_same_words(gateway: RunningGateway, row: str) -> None:
    made = [make(gateway.provider) for _, make, _, code in REFUSED if code == "token_invalid"]
    assert len({(await gateway.get(ROUTE, token)).text for token in made}) == 1


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic dXNlcjpwYXNz", "sk_sorami_x"], ids="H1 {!r}".format)
async def test_without_a_token_the_answer_says_which_is_wanted(gateway: RunningGateway, header: str | None) -> None:
    answer = await gateway.ask("GET", ROUTE, headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "auth_missing")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("row", ["H5 four seconds"])
async def test_a_clock_may_be_four_seconds_apart(gateway: RunningGateway, row: str) -> None:
    assert (await gateway.get(ROUTE, gateway.provider.sign(**soon(4)))).status_code == 200


@pytest.mark.parametrize("row", ["H6 allowed"])
async def test_a_token_without_an_application_is_believed_where_the_setting_says_so(
    gateway: RunningGateway, row: str
) -> None:
    provider = gateway.provider
    async with running_gateway(gateway.database, provider, clerk_allow_missing_azp=True) as lenient:
        assert (await lenient.get(ROUTE, provider.sign(azp=None))).status_code == 200
        assert (await lenient.get(ROUTE, provider.sign(azp="https://evil.example"))).status_code == 401


@pytest.mark.parametrize("row", ["H8 a thousand"])
async def test_a_thousand_unknown_keys_cause_one_fetch_at_most(gateway: RunningGateway, row: str) -> None:
    await gateway.get(ROUTE, gateway.provider.sign())
    before = gateway.provider.key_fetches
    made = [gateway.provider.sign(key_id=f"unknown_{n % 50}", sub=f"user_{n % 50}") for n in range(50)]
    async with gateway.browser() as client:
        for token in made * 20:
            answer = await client.get(ROUTE, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401
    assert gateway.provider.key_fetches - before <= 1


@pytest.mark.parametrize("row", ["H10 not parsed"])
async def test_a_token_of_twenty_kilobytes_is_not_parsed(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    parsed: list[str] = []
    original = jwt.get_unverified_header

    def watched(token: str) -> dict[str, Any]:
        parsed.append(token)
        return original(token)

    monkeypatch.setattr(jwt, "get_unverified_header", watched)
    await gateway.get(ROUTE, gateway.provider.sign(padding="x" * 20_000))
    assert parsed == []
    await gateway.get(ROUTE, gateway.provider.sign(sub="user_parsed"))
    assert len(parsed) == 1


@pytest.mark.parametrize("row", ["H11"])
async def test_known_keys_are_believed_while_the_issuer_is_away(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    provider = IdentityProvider()
    await provider.start()
    monkeypatch.setattr(tokens, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(tokens, "UNKNOWN_KEY_PAUSE", 0.0)
    async with running_gateway(gateway.database, provider) as mine:
        assert (await mine.get(ROUTE, provider.sign())).status_code == 200
        await provider.stop()
        for n in range(5):
            assert (await mine.get(ROUTE, provider.sign(sub=f"user_{n}"))).status_code == 200
        monkeypatch.setattr(tokens, "STALE_SECONDS", 0.0)
        assert (await mine.get(ROUTE, provider.sign())).status_code == 401


@pytest.mark.parametrize("row", ["H12"])
@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "jwt"])
async def test_a_token_in_the_query_is_not_looked_at(gateway: RunningGateway, row: str, name: str) -> None:
    answer = await gateway.get(f"{ROUTE}?{name}={gateway.provider.sign()}")
    assert (answer.status_code, answer.json()["code"]) == (401, "auth_missing")
