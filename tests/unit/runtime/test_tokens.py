"""Tokens: only what the issuer signed, its keys fetched once however many ask, and kept when it is away."""

import asyncio
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from services.runtime import tokens
from services.runtime.tokens import Expected, KeySet, TokenRefused, TokenVerifier

ISSUER = "https://issuer.example"


class Issuer:
    """An issuer whose key document can be changed, counted and taken away."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.fetches = 0
        self.away = False
        self.key_id = "k1"

    def document(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": self.key_id, "use": "sig"}]}

    def sign(self, **claims: Any) -> str:
        now = int(time.time())
        told = {"iss": ISSUER, "sub": "user_1", "iat": now, "nbf": now, "exp": now + 60, "azp": "https://app"} | claims
        return jwt.encode({k: v for k, v in told.items() if v is not None}, self.key, "RS256", {"kid": self.key_id})

    async def fetch(self) -> dict[str, Any]:
        self.fetches += 1
        await asyncio.sleep(0.01)
        if self.away:
            raise OSError("away")
        return self.document()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def verifier(issuer: Issuer, monkeypatch: pytest.MonkeyPatch, parties: tuple[str, ...] = ()) -> TokenVerifier:
    keys = KeySet("https://issuer.example/jwks")
    monkeypatch.setattr(keys, "_fetch", issuer.fetch)
    return TokenVerifier(Expected(ISSUER, frozenset(parties)), keys)


async def refused(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(TokenRefused) as error:
        await verifier.verify(token)
    return error.value.code


async def test_requests_that_come_together_wait_for_one_fetch(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    checker = verifier(issuer, monkeypatch)
    found = await asyncio.gather(*(checker.verify(issuer.sign(sub=f"user_{n}")) for n in range(50)))
    assert [claims["sub"] for claims in found] == [f"user_{n}" for n in range(50)]
    assert issuer.fetches == 1


async def test_a_thousand_unknown_keys_cause_one_fetch(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    checker = verifier(issuer, monkeypatch)
    await checker.verify(issuer.sign())
    issuer.key_id = "unknown"
    strangers = [issuer.sign(sub=f"user_{n}") for n in range(20)]
    issuer.key_id = "k1"
    for token in strangers * 50:
        assert await refused(checker, token) == "token_invalid"
    assert issuer.fetches == 1


async def test_a_rotated_key_is_learnt_after_the_pause(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "UNKNOWN_KEY_PAUSE", 0.0)
    checker = verifier(issuer, monkeypatch)
    await checker.verify(issuer.sign())
    issuer.key, issuer.key_id = rsa.generate_private_key(public_exponent=65537, key_size=2048), "k2"
    assert (await checker.verify(issuer.sign()))["sub"] == "user_1"


async def test_known_keys_are_served_while_the_issuer_is_away(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(tokens, "UNKNOWN_KEY_PAUSE", 0.0)
    checker = verifier(issuer, monkeypatch)
    await checker.verify(issuer.sign())
    issuer.away = True
    for n in range(5):
        assert (await checker.verify(issuer.sign(sub=f"user_{n}")))["sub"] == f"user_{n}"
        await asyncio.sleep(0.02)
    assert issuer.fetches > 1


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": None}, "token_invalid"),
        ({"nbf": None}, "token_invalid"),
        ({"sub": None}, "token_invalid"),
        ({"iss": "https://other.example"}, "token_invalid"),
        ({"exp": 1}, "token_expired"),
        ({"azp": "https://evil"}, "azp_not_allowed"),
        ({"azp": None}, "azp_not_allowed"),
    ],
)
async def test_wrong_claims_are_refused(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any], code: str
) -> None:
    assert await refused(verifier(issuer, monkeypatch, ("https://app",)), issuer.sign(**claims)) == code


async def test_a_clock_may_be_four_seconds_apart_but_not_ten_minutes(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int(time.time())
    checker = verifier(issuer, monkeypatch)
    assert await checker.verify(issuer.sign(nbf=now + 4, iat=now + 4))
    assert await refused(checker, issuer.sign(nbf=now + 600, iat=now + 600)) == "token_not_yet_valid"


async def test_another_algorithm_is_refused(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    checker = verifier(issuer, monkeypatch)
    now = int(time.time())
    shared = jwt.encode({"iss": ISSUER, "sub": "x", "exp": now + 60}, "s" * 32, "HS256", {"kid": "k1"})
    assert await refused(checker, shared) == "token_invalid"
    assert await refused(checker, "x" * 20_000) == "token_invalid"


async def test_a_verified_token_expires_all_the_same(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    checker = verifier(issuer, monkeypatch)
    token = issuer.sign(exp=int(time.time()) + 60)
    await checker.verify(token)
    later = time.time() + 120
    monkeypatch.setattr(time, "time", lambda: later)
    assert token not in checker._seen or checker._seen[token].until < later
