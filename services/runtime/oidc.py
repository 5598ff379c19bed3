"""Signing in with an OpenID Connect provider: authorization code with PKCE, its addresses found by discovery."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus, urlencode

from pydantic import SecretStr

from services.runtime.logs import get_logger
from services.runtime.tokens import (
    FETCH_TIMEOUT,
    FIRST_KEYS_PAUSE,
    Expected,
    KeySet,
    TokenRefused,
    TokenVerifier,
    fetch_json,
    not_verified,
)

REFRESH_SECONDS = 3_600.0
ID_TOKEN_CLAIMS = ("exp", "iat", "sub", "iss", "aud")

_log = get_logger(part="oidc")


class ProviderAway(Exception):
    """The provider did not answer, or not with what the protocol says; trying again later can help."""


class SignInRefused(Exception):
    """The provider did not take the code: it was used, is too old, or is somebody else's."""


class Discovery:
    """What an issuer publishes of itself at `/.well-known/openid-configuration`; fetched once an hour."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        self._document: Mapping[str, Any] = {}
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._lock = asyncio.Lock()

    async def address(self, name: str) -> str:
        """Return an address of the issuer, e.g. `token_endpoint`; raises ProviderAway."""
        found = (await self.document()).get(name)
        if not isinstance(found, str):
            raise ProviderAway(name)
        return found

    async def jwks_url(self) -> str:
        """Return where its keys are; raises ProviderAway."""
        return await self.address("jwks_uri")

    async def document(self) -> Mapping[str, Any]:
        """Return the document, an old one while the issuer is away; raises ProviderAway when there was none yet."""
        async with self._lock:
            now = time.monotonic()
            if now - self._fetched > REFRESH_SECONDS and now - self._tried > FIRST_KEYS_PAUSE:
                self._tried = now
                await self._refresh()
        if not self._document:
            raise ProviderAway(self._issuer)
        return self._document

    async def _refresh(self) -> None:
        try:
            document = await fetch_json(self._url)
            if document["issuer"] != self._issuer:
                raise ValueError("this document is of another issuer")
        except Exception as error:
            _log.warning("the issuer's description could not be fetched", error=type(error).__name__)
            return
        self._document = document
        self._fetched = time.monotonic()


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class OidcProvider:
    """One provider at which people sign in for our page."""

    def __init__(self, issuer: str, client_id: str, client_secret: SecretStr | None, scopes: Sequence[str]) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = " ".join(scopes)
        self._discovery = Discovery(issuer)
        expected = Expected(issuer, audience=(client_id,), required=ID_TOKEN_CLAIMS)
        self._verifier = TokenVerifier(expected, KeySet(self._discovery.jwks_url))

    async def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return where the browser goes to sign in; raises ProviderAway."""
        endpoint = await self._discovery.address("authorization_endpoint")
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def claims_of(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """Exchange a code for the claims of its ID token; raises ProviderAway, SignInRefused or TokenRefused."""
        answer = await self._exchange(code, redirect_uri, verifier)
        id_token = answer.get("id_token") if isinstance(answer, Mapping) else None
        if not isinstance(id_token, str):
            raise ProviderAway("the answer holds no ID token")
        claims = await self._verifier.verify(id_token)
        told, audience = claims.get("nonce"), claims["aud"]
        if not isinstance(told, str) or not hmac.compare_digest(told.encode(), nonce.encode()):
            raise not_verified()
        # OpenID Connect Core 3.1.3.7: a token for several names the one it was issued to.
        issued_to = claims.get("azp")
        if issued_to not in (None, self._client_id) or (issued_to is None and audience not in _alone(self._client_id)):
            raise TokenRefused("azp_not_allowed", "the token was issued for another application")
        return claims

    async def _exchange(self, code: str, redirect_uri: str, verifier: str) -> Any:
        import httpx

        endpoint = await self._discovery.address("token_endpoint")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        methods = (await self._discovery.document()).get("token_endpoint_auth_methods_supported")
        auth: httpx.Auth = httpx.Auth()
        if self._client_secret is None:
            form["client_id"] = self._client_id
        elif isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret.get_secret_value()}
        else:
            # RFC 6749 2.3.1: both are form-encoded before they go into the header.
            secret = self._client_secret.get_secret_value()
            auth = httpx.BasicAuth(quote_plus(self._client_id), quote_plus(secret))
        try:
            async with asyncio.timeout(FETCH_TIMEOUT * 2), httpx.AsyncClient(trust_env=False) as client:
                response = await client.post(endpoint, data=form, auth=auth, headers={"Accept": "application/json"})
                answer = response.json()
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            _log.warning("the provider did not answer a code", error=type(error).__name__)
            raise ProviderAway(endpoint) from None
        if response.status_code >= 500:
            raise ProviderAway(endpoint)
        if response.status_code != 200:
            _log.warning("the provider refused a code", status=response.status_code)
            raise SignInRefused
        return answer


def _alone(client_id: str) -> tuple[Any, ...]:
    return (client_id, [client_id])
