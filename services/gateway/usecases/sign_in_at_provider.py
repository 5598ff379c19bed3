"""Sign a person in at an OIDC provider: each attempt is bound to the browser that began it, and is taken once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from contracts.ids import new_token
from services.gateway.store.people import INSERT_STATE, TAKE_STATE
from services.gateway.usecases.open_session import OpenedSession, open_session, verified_email
from services.runtime.claims import Principal, read_principal
from services.runtime.database import Pool
from services.runtime.identity import Identities, session_hash
from services.runtime.oidc import OidcProvider, SignInRefused

STATE_SECONDS = 600


class StateUnknown(Exception):
    """This answer belongs to no sign-in of this browser: it was used, is too old, or began somewhere else."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session, and the page the person wanted."""

    session: OpenedSession
    return_to: str


class SignInAtProvider:
    """The use case behind /signin/oidc and /signin/callback."""

    def __init__(
        self, pool: Pool, provider: OidcProvider, identities: Identities, *, redirect_uri: str, namespace: str | None
    ) -> None:
        """`namespace` is set where bearer tokens come from another issuer, whose subjects mean other people."""
        self._pool = pool
        self._provider = provider
        self._identities = identities
        self._redirect_uri = redirect_uri
        self._namespace = namespace

    async def begin(self, browser: str, return_to: str) -> str:
        """Return where the browser goes; `browser` is a secret that only it holds. Raises ProviderAway."""
        state, nonce, verifier = new_token(24), new_token(24), new_token(48)
        address = await self._provider.authorization_url(self._redirect_uri, state, nonce, verifier)
        await self._pool.execute(
            INSERT_STATE, session_hash(state), session_hash(browser), nonce, verifier, return_to, STATE_SECONDS
        )
        return address

    async def finish(self, browser: str, answer: Mapping[str, str], *, replaces: str | None) -> SignedIn:
        """Open the session; raises StateUnknown, SignInRefused, ProviderAway or TokenRefused."""
        begun = await self._pool.fetchrow(TAKE_STATE, session_hash(answer.get("state", "")), session_hash(browser))
        if begun is None:
            raise StateUnknown
        code = answer.get("code")
        if not code or "error" in answer:
            raise SignInRefused
        claims = await self._provider.claims_of(code, self._redirect_uri, begun["nonce"], begun["verifier"])
        principal = self._principal(claims)
        person = await self._identities.of_principal(principal)
        session = await open_session(self._pool, person, "oidc", email=verified_email(principal), replaces=replaces)
        return SignedIn(session, begun["return_to"])

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        principal = read_principal(claims)
        if self._namespace is None:
            return principal
        return replace(principal, subject=f"{self._namespace}|{principal.subject}")
