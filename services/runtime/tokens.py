"""Bearer tokens: RS256 only, keys from a JWKS that is fetched without blocking and kept when its host is away."""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt

from services.runtime.logs import get_logger

LEEWAY_SECONDS = 5
REFRESH_SECONDS = 300.0
UNKNOWN_KEY_PAUSE = 30.0
"""An unknown key id may cause one fetch in this many seconds."""
STALE_SECONDS = 86_400.0
FETCH_TIMEOUT = 3.0
MAX_TOKEN = 8_192
_CACHE = 4_096

_log = get_logger(part="tokens")


class TokenRefused(Exception):
    """A token that is not believed; `code` is stable, and the text is the same for every cryptographic failure."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class KeySet:
    """The issuer's public keys by key id."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, Any] = {}
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._lock = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None

    async def key(self, key_id: str) -> Any:
        """Return the key; raises TokenRefused when there is none."""
        age = time.monotonic() - self._fetched
        if key_id not in self._keys or age > STALE_SECONDS:
            # Whoever comes while the keys are being fetched waits for that one fetch.
            async with self._lock:
                if key_id not in self._keys and time.monotonic() - self._tried > UNKNOWN_KEY_PAUSE:
                    await self._refresh()
        elif age > REFRESH_SECONDS and time.monotonic() - self._tried > UNKNOWN_KEY_PAUSE:
            self._tried = time.monotonic()
            self._renewal = asyncio.create_task(self._refresh())
        if key_id in self._keys and time.monotonic() - self._fetched < STALE_SECONDS:
            return self._keys[key_id]
        raise TokenRefused("token_invalid", "the token could not be verified; sign in again")

    async def _refresh(self) -> None:
        self._tried = time.monotonic()
        try:
            document = await self._fetch()
            keys = {
                item["kid"]: jwt.PyJWK(item, algorithm="RS256").key
                for item in document["keys"]
                if item.get("kty") == "RSA" and "kid" in item
            }
        except Exception as error:
            # Known keys go on being served: an issuer that is away must not sign everybody out.
            _log.warning("the issuer's keys could not be fetched", error=type(error).__name__)
            return
        self._keys = keys
        self._fetched = time.monotonic()

    async def _fetch(self) -> Any:
        parts = urlsplit(self._url)
        if parts.scheme == "file":
            return json.loads(await asyncio.to_thread(Path(unquote(parts.path)).read_bytes))
        import httpx

        async with asyncio.timeout(FETCH_TIMEOUT), httpx.AsyncClient(trust_env=False) as client:
            response = await client.get(self._url)
            response.raise_for_status()
            return response.json()


class TokenVerifier:
    """Verifies tokens of one issuer; a token that was verified is remembered until it expires."""

    def __init__(self, issuer: str, keys: KeySet, authorized_parties: Sequence[str] = ()) -> None:
        self._issuer = issuer
        self._keys = keys
        self._authorized_parties = frozenset(authorized_parties)
        self._seen: OrderedDict[str, tuple[float, Mapping[str, Any]]] = OrderedDict()

    async def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims; raises TokenRefused."""
        seen = self._seen.get(token)
        if seen is not None and seen[0] > time.time():
            return seen[1]
        claims = await self._verify(token)
        self._seen[token] = (float(claims["exp"]), claims)
        if len(self._seen) > _CACHE:
            self._seen.popitem(last=False)
        return claims

    async def _verify(self, token: str) -> Mapping[str, Any]:
        if len(token) > MAX_TOKEN:
            raise TokenRefused("token_invalid", "the token could not be verified; sign in again")
        try:
            header = jwt.get_unverified_header(token)
            key_id = header.get("kid")
            if header.get("alg") != "RS256" or not isinstance(key_id, str):
                raise jwt.InvalidAlgorithmError
            key = await self._keys.key(key_id)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "nbf", "sub", "iss"], "verify_aud": False},
            )
        except (jwt.ImmatureSignatureError, jwt.InvalidIssuedAtError):
            raise TokenRefused("token_not_yet_valid", "the token is not valid yet; check the clocks") from None
        except jwt.ExpiredSignatureError:
            raise TokenRefused("token_expired", "the token has expired; sign in again") from None
        except (jwt.PyJWTError, ValueError):
            raise TokenRefused("token_invalid", "the token could not be verified; sign in again") from None
        if self._authorized_parties and claims.get("azp") not in self._authorized_parties:
            raise TokenRefused("azp_not_allowed", "the token was issued for another application")
        return claims
