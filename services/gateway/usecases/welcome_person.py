"""Welcome a person whose valid token is seen for the first time: a user of ours appears."""

from collections.abc import Mapping
from typing import Any

import asyncpg

from contracts.ids import new_id
from services.gateway.queries import people
from services.gateway.store.people import INSERT_USER
from services.runtime.database import Pool
from services.runtime.identity import Caller
from services.runtime.tokens import TokenRefused


async def welcome_person(pool: Pool, claims: Mapping[str, Any]) -> Caller:
    """Insert the user of these claims, once however many requests come at the same time; raises TokenRefused."""
    subject = str(claims["sub"])
    email, name = claims.get("email"), claims.get("name")
    try:
        await pool.execute(
            INSERT_USER,
            new_id(),
            subject,
            email if isinstance(email, str) else None,
            name if isinstance(name, str) else None,
        )
    except asyncpg.NotNullViolationError as error:
        # A database that Prisma made may want more of a user than a token says.
        column = error.column_name or "a column"
        detail = (
            f"users.{column} is required here and the token does not carry it; add the claim, or make the user first"
        )
        raise TokenRefused("user_incomplete", detail) from None
    found = await people.person_of_subject(pool, subject)
    return Caller(found["user_id"], found["organization_id"])
