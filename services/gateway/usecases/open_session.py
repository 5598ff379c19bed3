"""Open a session for our own page: always a new secret, and the one the browser had before is over."""

from dataclasses import dataclass
from typing import Literal

from contracts.ids import new_token
from services.gateway.store.audit import record
from services.gateway.store.people import DELETE_OLD_SESSIONS, DELETE_SESSION, INSERT_SESSION, USE_TICKET
from services.runtime.claims import Principal, read_principal
from services.runtime.database import Pool, transaction
from services.runtime.identity import Caller, Identities, session_hash
from services.runtime.tokens import TokenRefused, TokenVerifier

SESSION_SECONDS = 7 * 86_400
IMPERSONATION_SECONDS = 3_600
"""Whoever helps somebody as that person does so for an hour."""
Way = Literal["link", "oidc", "key"]


class TicketUsed(Exception):
    """This sign-in link was used before; print a new one with `sorami link`."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """The secret of a new session, shown to the browser alone, and the seconds it lasts."""

    secret: str
    seconds: int


def verified_email(principal: Principal) -> str | None:
    """Return the address that the issuer verified; None when it says nothing of that."""
    return principal.email if principal.email_verified else None


async def open_session(
    pool: Pool, person: Caller, way: Way, *, email: str | None = None, replaces: str | None = None
) -> OpenedSession:
    """Open a session of a person who proved who it is; it ends when its time is over, however much it is used.

    `email` is kept only to know operators by it, so it is one that was verified.
    """
    secret = new_token(32)
    seconds = IMPERSONATION_SECONDS if person.impersonated else SESSION_SECONDS
    async with transaction(pool) as connection:
        await connection.execute(DELETE_OLD_SESSIONS)
        if replaces:
            await connection.execute(DELETE_SESSION, session_hash(replaces))
        await connection.execute(
            INSERT_SESSION,
            session_hash(secret),
            person.user_id,
            seconds,
            person.organization_id,
            person.role,
            email,
            person.actor,
            person.key_id,
            way,
        )
        await record(connection, person, "session.opened", person.user_id, detail={"way": way})
    return OpenedSession(secret, seconds)


async def open_session_by_ticket(
    pool: Pool, verifier: TokenVerifier, identities: Identities, ticket: str, *, replaces: str | None = None
) -> OpenedSession:
    """Open a session from a sign-in link that works once; raises TokenRefused or TicketUsed."""
    claims = await verifier.verify(ticket)
    ticket_id = claims.get("jti")
    if claims.get("use") != "signin" or not isinstance(ticket_id, str):
        raise TokenRefused("token_invalid", "this is not a sign-in link; print a new one with `sorami link`")
    principal = read_principal(claims)
    if await pool.fetchval(USE_TICKET, ticket_id) is None:
        raise TicketUsed
    person = await identities.of_principal(principal)
    return await open_session(pool, person, "link", email=verified_email(principal), replaces=replaces)


async def open_session_by_key(
    pool: Pool, identities: Identities, key: str, *, replaces: str | None = None
) -> OpenedSession:
    """Open a session that may do what the API key may, while the key lives; raises TokenRefused."""
    return await open_session(pool, await identities.of_key(key, asking_again=True), "key", replaces=replaces)


async def close_session(pool: Pool, secret: str) -> None:
    """End a session; one that is unknown or over already is no error."""
    async with transaction(pool) as connection:
        ended = await connection.fetchrow(DELETE_SESSION, session_hash(secret))
        if ended is not None:
            person = Caller(ended["user_id"], key_id=ended["key_id"], actor=ended["actor"])
            await record(connection, person, "session.closed", person.user_id)
