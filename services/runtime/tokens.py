"""Bearer tokens: RS256 only, keys from a JWKS that is fetched without blocking and kept when its host is away."""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt

from services.runtime.logs import get_logger

LEEWAY_SECONDS = 5
REFRESH_SECONDS = 300.0
UNKNOWN_KEY_PAUSE = 30.0
"""An unknown key id may cause one fetch in this many seconds."""
FIRST_KEYS_PAUSE = 2.0
"""While no key was ever fetched, nobody can sign in: it is tried again after this many seconds."""
STALE_SECONDS = 86_400.0
FETCH_TIMEOUT = 3.0
MAX_TOKEN = 8_192
_CACHE = 4_096

_log = get_logger(part="tokens")


class TokenRefused(Exception):
    """A token that is not believed; `code` is stable, and the text is the same for every cryptographic failure."""

    def __init__(self, code: str, detail: str, *, status: int = 401) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status


def not_verified() -> TokenRefused:
    """Build the one refusal of whatever is forged, broken or contradicts itself."""
    return TokenRefused("token_invalid", "the token could not be verified; sign in again")


async def fetch_json(url: str) -> Any:
    """Fetch a JSON document of the operator's issuer, in 3 s at most; raises what httpx raises, or ValueError."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return json.loads(await asyncio.to_thread(Path(unquote(parts.path)).read_bytes))
    import httpx

    async with asyncio.timeout(FETCH_TIMEOUT), httpx.AsyncClient(trust_env=False) as client:
        response = await client.get(url)
        response.raise_for_status()
        return response.json()


class KeySet:
    """The issuer's public keys by key id; `url` is their address, or how it is found out."""

    def __init__(self, url: str | Callable[[], Awaitable[str]]) -> None:
        self._url = url
        self._items: dict[str, Any] = {}
        self._keys: dict[str, Any] = {}
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._lock = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None

    async def key(self, key_id: str) -> Any:
        """Return the key, the same object while the issuer says the same of it; raises TokenRefused."""
        age = time.monotonic() - self._fetched
        if key_id not in self._keys or age > STALE_SECONDS:
            # Whoever comes while the keys are being fetched waits for that one fetch.
            async with self._lock:
                if key_id not in self._keys and self._may_try():
                    await self._refresh()
        elif age > REFRESH_SECONDS and self._may_try():
            self._tried = time.monotonic()
            self._renewal = asyncio.create_task(self._refresh())
        if key_id in self._keys and time.monotonic() - self._fetched < STALE_SECONDS:
            return self._keys[key_id]
        if self._fetched == float("-inf"):
            raise TokenRefused(
                "token_keys_unavailable", "the issuer's keys could not be fetched yet; try again", status=503
            )
        raise not_verified()

    def _may_try(self) -> bool:
        pause = FIRST_KEYS_PAUSE if self._fetched == float("-inf") else UNKNOWN_KEY_PAUSE
        return time.monotonic() - self._tried > pause

    async def _refresh(self) -> None:
        self._tried = time.monotonic()
        try:
            document = await self._fetch()
            items = {item["kid"]: item for item in document["keys"] if item.get("kty") == "RSA" and "kid" in item}
            keys = {
                kid: self._keys[kid] if self._items.get(kid) == item else jwt.PyJWK(item, algorithm="RS256").key
                for kid, item in items.items()
            }
        except Exception as error:
            # Known keys go on being served: an issuer that is away must not sign everybody out.
            _log.warning("the issuer's keys could not be fetched", error=type(error).__name__)
            return
        self._items, self._keys = items, keys
        self._fetched = time.monotonic()

    async def _fetch(self) -> Any:
        return await fetch_json(self._url if isinstance(self._url, str) else await self._url())


@dataclass(frozen=True, slots=True)
class Expected:
    """What the tokens of an issuer must say."""

    issuer: str
    authorized_parties: frozenset[str] = frozenset()
    missing_party_allowed: bool = False
    audience: Sequence[str] = ()
    """Any of these; without one, `aud` is not looked at."""
    required: Sequence[str] = ("exp", "iat", "nbf", "sub", "iss")


@dataclass(frozen=True, slots=True)
class _Seen:
    until: float
    key_id: str
    key: Any
    claims: Mapping[str, Any]


class TokenVerifier:
    """Verifies tokens of one issuer; one that was verified is remembered until it expires or its key is gone."""

    def __init__(self, expected: Expected, keys: KeySet) -> None:
        self._expected = expected
        self._keys = keys
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    async def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims; raises TokenRefused."""
        seen = self._seen.get(token)
        # A key that the issuer took back ends the tokens it signed, however long they were meant to last.
        if seen is not None and seen.until > time.time() and await self._keys.key(seen.key_id) is seen.key:
            return seen.claims
        key_id, key, claims = await self._verify(token)
        self._seen[token] = _Seen(float(claims["exp"]), key_id, key, claims)
        if len(self._seen) > _CACHE:
            self._seen.popitem(last=False)
        return claims

    async def _verify(self, token: str) -> tuple[str, Any, Mapping[str, Any]]:
        if len(token) > MAX_TOKEN:
            raise not_verified()
        try:
            header = jwt.get_unverified_header(token)
            key_id = header.get("kid")
            if header.get("alg") != "RS256" or not isinstance(key_id, str):
                raise jwt.InvalidAlgorithmError
            key = await self._keys.key(key_id)
            claims = self._decode(token, key)
        except (jwt.ImmatureSignatureError, jwt.InvalidIssuedAtError):
            raise TokenRefused("token_not_yet_valid", "the token is not valid yet; check the clocks") from None
        except jwt.ExpiredSignatureError:
            raise TokenRefused("token_expired", "the token has expired; sign in again") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise not_verified() from None
        self._check_party(claims)
        return key_id, key, claims

    def _decode(self, token: str, key: Any) -> dict[str, Any]:
        expected = self._expected
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            issuer=expected.issuer,
            audience=expected.audience or None,
            leeway=LEEWAY_SECONDS,
            options={"require": list(expected.required), "verify_aud": bool(expected.audience)},
        )
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 256 or "\x00" in claims["sub"]:
            raise ValueError("sub")
        return claims

    def _check_party(self, claims: Mapping[str, Any]) -> None:
        party = claims.get("azp")
        if not self._expected.authorized_parties or (party is None and self._expected.missing_party_allowed):
            return
        if not isinstance(party, str) or party not in self._expected.authorized_parties:
            raise TokenRefused("azp_not_allowed", "the token was issued for another application")
