"""Who is known here."""

from typing import Any

from services.runtime.database import Pool

_PERSON = """
    SELECT u.id AS user_id,
           (SELECT m."organizationId" FROM organization_memberships m
            WHERE m."userId" = u.id ORDER BY m."createdAt", m.id LIMIT 1) AS organization_id
    FROM users u
"""


async def person(pool: Pool, user_id: str) -> Any:
    """Return the user of this id or of this identity provider's id, with the first organisation; None for nobody."""
    return await pool.fetchrow(_PERSON + ' WHERE u.id = $1 OR u."clerkId" = $1 LIMIT 1', user_id)


async def person_of_subject(pool: Pool, subject: str) -> Any:
    """Return the user whom the identity provider calls so; never one whose own id happens to be the same text."""
    return await pool.fetchrow(_PERSON + ' WHERE u."clerkId" = $1', subject)


async def first_person(pool: Pool) -> Any:
    """Return the first user ever, as the seeds did; only where an operator asked for it."""
    return await pool.fetchrow(_PERSON + ' ORDER BY u."createdAt", u.id LIMIT 1')
