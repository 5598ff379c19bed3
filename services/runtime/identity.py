"""Who is calling: a bearer token or a session cookie becomes a user of ours."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.runtime.database import Pool
from services.runtime.tokens import TokenRefused, TokenVerifier

SESSION_COOKIE = "sorami_session"
_REMEMBER_SECONDS = 30.0
_REMEMBER_MOST = 10_000

_BY_SUBJECT = """
    SELECT u.id AS user_id,
           (SELECT m."organizationId" FROM organization_memberships m
            WHERE m."userId" = u.id ORDER BY m."createdAt", m.id LIMIT 1) AS organization_id
    FROM users u WHERE u."clerkId" = $1
"""
_BY_SESSION = """
    SELECT s.user_id,
           (SELECT m."organizationId" FROM organization_memberships m
            WHERE m."userId" = s.user_id ORDER BY m."createdAt", m.id LIMIT 1) AS organization_id
    FROM sorami.sessions s WHERE s.token_hash = $1 AND s.expires_at > now()
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a program that proved who it is."""

    user_id: str
    organization_id: str | None = None
    by_cookie: bool = False
    scopes: frozenset[str] | None = None
    """What it may do; None for a person, who may do what is personal."""


Newcomer = Callable[[Mapping[str, Any]], Awaitable[Caller]]


def session_hash(secret: str) -> bytes:
    """Return what is kept of a session's secret."""
    return hashlib.sha256(secret.encode()).digest()


class Identities:
    """Resolves callers; `newcomer` makes the user of a valid token that was never seen, where a service may."""

    def __init__(self, pool: Pool, verifier: TokenVerifier | None, newcomer: Newcomer | None = None) -> None:
        self._pool = pool
        self._verifier = verifier
        self._newcomer = newcomer
        self._known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    async def of_bearer(self, token: str) -> Caller:
        """Return who the token stands for; raises TokenRefused."""
        if self._verifier is None:
            raise TokenRefused(
                "token_issuer_unset",
                "no token issuer is configured; set SORAMI_JWT_ISSUER and SORAMI_JWKS_URL",
            )
        claims = await self._verifier.verify(token)
        if claims.get("use") is not None:
            raise TokenRefused("token_invalid", "the token could not be verified; sign in again")
        subject = str(claims["sub"])
        known = self._known.get(subject)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        row = await self._pool.fetchrow(_BY_SUBJECT, subject)
        if row is not None:
            caller = Caller(row["user_id"], row["organization_id"])
        elif self._newcomer is not None:
            caller = await self._newcomer(claims)
        else:
            raise TokenRefused("user_unknown", "this user has not used the API yet")
        self._remember(subject, caller)
        return caller

    async def of_session(self, secret: str) -> Caller | None:
        """Return whose session this is, or None when it is unknown or over."""
        row = await self._pool.fetchrow(_BY_SESSION, session_hash(secret))
        return Caller(row["user_id"], row["organization_id"], by_cookie=True) if row else None

    def _remember(self, subject: str, caller: Caller) -> None:
        self._known[subject] = (time.monotonic() + _REMEMBER_SECONDS, caller)
        if len(self._known) > _REMEMBER_MOST:
            self._known.popitem(last=False)
