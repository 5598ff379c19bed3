"""Welcome a person whose valid token is seen for the first time: a user of ours appears."""

from collections.abc import Mapping
from typing import Any

from contracts.ids import new_id
from services.gateway import queries
from services.gateway.store import INSERT_USER
from services.runtime.database import Pool
from services.runtime.identity import Caller


async def welcome_person(pool: Pool, claims: Mapping[str, Any]) -> Caller:
    """Insert the user of these claims, once however many requests come at the same time."""
    subject = str(claims["sub"])
    email, name = claims.get("email"), claims.get("name")
    await pool.execute(
        INSERT_USER,
        new_id(),
        subject,
        email if isinstance(email, str) else None,
        name if isinstance(name, str) else None,
    )
    found = await queries.person(pool, subject)
    return Caller(found["user_id"], found["organization_id"])
