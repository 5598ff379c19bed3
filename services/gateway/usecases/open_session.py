"""Open a session for our own page from a sign-in ticket that works once."""

from contracts.ids import new_token
from services.gateway.store.people import INSERT_SESSION, USE_TICKET
from services.gateway.usecases.welcome_person import welcome_person
from services.runtime.database import Pool
from services.runtime.identity import session_hash
from services.runtime.tokens import TokenRefused, TokenVerifier

SESSION_SECONDS = 7 * 86_400


class TicketUsed(Exception):
    """This sign-in link was used before; print a new one with `sorami link`."""


async def open_session(pool: Pool, verifier: TokenVerifier, ticket: str) -> str:
    """Return the secret of a new session; raises TokenRefused or TicketUsed."""
    claims = await verifier.verify(ticket)
    ticket_id = claims.get("jti")
    if claims.get("use") != "signin" or not isinstance(ticket_id, str):
        raise TokenRefused("token_invalid", "this is not a sign-in link; print a new one with `sorami link`")
    if await pool.fetchval(USE_TICKET, ticket_id) is None:
        raise TicketUsed
    person = await welcome_person(pool, claims)
    secret = new_token(32)
    await pool.execute(INSERT_SESSION, session_hash(secret), person.user_id, SESSION_SECONDS)
    return secret
