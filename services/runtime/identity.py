"""Who is calling: a bearer token, an API key or a session cookie becomes a user of ours."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.runtime.api_keys import MARK, is_key, key_hash
from services.runtime.claims import OrganizationClaim, Principal, read_principal
from services.runtime.database import Pool
from services.runtime.logs import get_logger
from services.runtime.tokens import TokenRefused, TokenVerifier, not_verified

ACT_FOR_OTHERS = "act-for-others"
_REMEMBER_SECONDS = 30.0
_REMEMBER_KEY_SECONDS = 0.5
"""A revoked key must be refused within a second everywhere: looking it up twice a second needs no announcement."""
_REMEMBER_MOST = 10_000

_log = get_logger(part="identity")

# Prisma's rows may stand twice (see the migration's unique keys): the oldest counts.
_BY_SUBJECT = """
    SELECT u.id AS user_id, o.id AS organization_id, m.role,
           (SELECT f."organizationId" FROM organization_memberships f
            WHERE f."userId" = u.id ORDER BY f."createdAt", f.id LIMIT 1) AS first_organization_id
    FROM users u
    LEFT JOIN organizations o ON o."clerkId" = $2
    LEFT JOIN organization_memberships m ON m."userId" = u.id AND m."organizationId" = o.id
    WHERE u."clerkId" = $1 ORDER BY u."createdAt", u.id, o."createdAt", o.id LIMIT 1
"""
_BY_SESSION = """
    SELECT s.user_id, s.organization_id, s.role, s.email, s.actor, s.key_id, k.scopes, u."clerkId" AS subject,
           o."clerkId" AS organization_subject,
           (SELECT m."organizationId" FROM organization_memberships m
            WHERE m."userId" = s.user_id ORDER BY m."createdAt", m.id LIMIT 1) AS first_organization_id
    FROM sorami.sessions s
    JOIN users u ON u.id = s.user_id
    LEFT JOIN organizations o ON o.id = s.organization_id
    LEFT JOIN sorami.api_keys k ON k.id = s.key_id
    WHERE s.token_hash = $1 AND s.expires_at > now()
      AND (s.key_id IS NULL
           OR k.id IS NOT NULL AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()))
"""
_BY_KEY = """
    SELECT k.id, k.owner_id, k.scopes, k.revoked_at IS NOT NULL AS revoked,
           coalesce(k.expires_at <= now(), false) AS expired,
           extract(epoch FROM k.expires_at - now())::float8 AS remains,
           k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute' AS worth_noting,
           (SELECT m."organizationId" FROM organization_memberships m WHERE m."userId" = k.owner_id
            ORDER BY m."organizationId" = k.organization_id DESC NULLS LAST, m."createdAt", m.id LIMIT 1)
               AS organization_id
    FROM sorami.api_keys k WHERE k.token_hash = $1
"""
_NOTE_USE = """
    UPDATE sorami.api_keys SET last_used_at = now()
    WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a program that proved who it is."""

    user_id: str
    organization_id: str | None = None
    by_cookie: bool = False
    scopes: frozenset[str] | None = None
    """What a key may do; None for a person, who may do what is personal."""
    role: str | None = None
    """In the active organisation, as the token says it."""
    operator: bool = False
    """Whether the settings name this person as one who runs the system."""
    key_id: str | None = None
    actor: str | None = None
    """Who really does it, when that is not the user: an impersonator, or the program that acts for others."""
    impersonated: bool = False

    @property
    def may_act_for_others(self) -> bool:
        """Whether `user_id` in a request names whose job it is."""
        return self.operator if self.scopes is None else ACT_FOR_OTHERS in self.scopes


Newcomer = Callable[[Principal], Awaitable[Caller]]


@dataclass(frozen=True, slots=True)
class Operators:
    """Who runs the system: subjects and verified e-mail addresses, and roles as `organisation:role`."""

    people: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def include(self, principal: Principal) -> bool:
        """Tell whether this principal is one of them; never somebody who only acts as one."""
        if principal.actor is not None:
            return False
        organization = principal.organization
        return (
            principal.subject in self.people
            or (principal.email_verified and (principal.email or "").lower() in self.people)
            or (organization is not None and f"{organization.id}:{organization.role}" in self.roles)
        )


def session_hash(secret: str) -> bytes:
    """Return what is kept of a session's secret."""
    return hashlib.sha256(secret.encode()).digest()


def cookie_name(public_url: str, name: str) -> str:
    """Return a cookie's name at this address: with https no other host or path can plant one of it."""
    return f"__Host-{name}" if public_url.startswith("https://") else name


def session_cookie(public_url: str) -> str:
    """Return the name of the session's cookie at this address."""
    return cookie_name(public_url, "sorami_session")


Key = TypeVar("Key", bound=Hashable)


class _Memory(Generic[Key]):
    """Callers that were found a moment ago."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[float, Caller]] = OrderedDict()

    def get(self, key: Key) -> Caller | None:
        kept = self._kept.get(key)
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def put(self, key: Key, caller: Caller, seconds: float) -> None:
        self._kept[key] = (time.monotonic() + seconds, caller)
        self._kept.move_to_end(key)
        if len(self._kept) > _REMEMBER_MOST:
            self._kept.popitem(last=False)


class Identities:
    """Resolves callers; `newcomer` makes the user, organisation or membership of a valid token that is not known yet,
    where a service may."""

    def __init__(
        self,
        pool: Pool,
        verifier: TokenVerifier | None,
        newcomer: Newcomer | None = None,
        *,
        operators: Operators = Operators(),
        session_cookie: str = "sorami_session",
    ) -> None:
        self._pool = pool
        self._verifier = verifier
        self._newcomer = newcomer
        self._operators = operators
        self.session_cookie = session_cookie
        self._principals: _Memory[Principal] = _Memory()
        self._keys: _Memory[bytes] = _Memory()
        self._noting: dict[str, asyncio.Task[None]] = {}

    async def of_bearer(self, token: str) -> Caller:
        """Return who the token or the API key stands for; raises TokenRefused."""
        if token.startswith(MARK):
            return await self.of_key(token)
        if self._verifier is None:
            raise TokenRefused(
                "token_issuer_unset",
                "no token issuer is configured; set SORAMI_JWT_ISSUER, or use an API key",
            )
        claims = await self._verifier.verify(token)
        if claims.get("use") is not None:
            raise not_verified()
        return await self.of_principal(read_principal(claims))

    async def of_principal(self, principal: Principal) -> Caller:
        """Return the user of a verified principal; raises TokenRefused."""
        known = self._principals.get(principal)
        if known is None:
            known = await self._find(principal)
            self._principals.put(principal, known, _REMEMBER_SECONDS)
        return known

    async def _find(self, principal: Principal) -> Caller:
        claim = principal.organization
        row = await self._pool.fetchrow(_BY_SUBJECT, principal.subject, claim.id if claim else None)
        if self._newcomer is not None and (row is None or _is_news(row, claim)):
            found = await self._newcomer(principal)
            user_id, organization_id, role = found.user_id, found.organization_id, found.role
        elif row is not None:
            user_id, role = row["user_id"], (claim.role if claim else None) or row["role"]
            organization_id = row["organization_id"] if claim else row["first_organization_id"]
        else:
            raise TokenRefused("user_unknown", "this user has not used the API yet")
        return Caller(
            user_id,
            organization_id,
            role=role,
            operator=self._operators.include(principal),
            actor=principal.actor,
            impersonated=principal.actor is not None,
        )

    async def of_key(self, key: str, *, asking_again: bool = False) -> Caller:
        """Return whose API key this is, looked up anew if `asking_again`; raises TokenRefused."""
        if not is_key(key):
            raise _key_refused("key_invalid", "is not one of ours")
        hashed = key_hash(key)
        known = self._keys.get(hashed)
        if known is not None and not asking_again:
            return known
        row = await self._pool.fetchrow(_BY_KEY, hashed)
        if row is None:
            raise _key_refused("key_invalid", "is not one of ours")
        if row["revoked"]:
            raise _key_refused("key_revoked", "was revoked")
        if row["expired"]:
            raise _key_refused("key_expired", "has expired")
        caller = Caller(row["owner_id"], row["organization_id"], scopes=frozenset(row["scopes"]), key_id=row["id"])
        remains = _REMEMBER_KEY_SECONDS if row["remains"] is None else row["remains"]
        self._keys.put(hashed, caller, min(_REMEMBER_KEY_SECONDS, remains))
        if row["worth_noting"] and row["id"] not in self._noting:
            self._noting[row["id"]] = asyncio.create_task(self._note_use(row["id"]))
        return caller

    async def _note_use(self, key_id: str) -> None:
        """Note that a key was used: beside the request, and once a minute however often it is."""
        try:
            await self._pool.execute(_NOTE_USE, key_id)
        except Exception as error:
            _log.warning("the use of a key could not be noted", error=type(error).__name__)
        finally:
            del self._noting[key_id]

    async def of_session(self, secret: str) -> Caller | None:
        """Return whose session this is, or None when it is unknown or over, or when its API key is."""
        row = await self._pool.fetchrow(_BY_SESSION, session_hash(secret))
        if row is None:
            return None
        organization = (
            OrganizationClaim(row["organization_subject"], row["role"]) if row["organization_subject"] else None
        )
        principal = Principal(row["subject"], organization, row["email"], email_verified=True, actor=row["actor"])
        by_key = row["key_id"] is not None
        return Caller(
            row["user_id"],
            row["organization_id"] or row["first_organization_id"],
            by_cookie=True,
            scopes=frozenset(row["scopes"]) if by_key else None,
            role=row["role"],
            operator=not by_key and self._operators.include(principal),
            key_id=row["key_id"],
            actor=row["actor"],
            impersonated=row["actor"] is not None,
        )


def _is_news(row: Any, claim: OrganizationClaim | None) -> bool:
    """Tell whether the token says something of the active organisation that the rows do not."""
    return claim is not None and (row["role"] is None or (claim.role is not None and claim.role != row["role"]))


def _key_refused(code: str, what: str) -> TokenRefused:
    return TokenRefused(code, f"this API key {what}; make one at /api/keys")
