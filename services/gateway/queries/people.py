"""Who is known here."""

from typing import Any

from services.runtime.database import Pool

_PERSON = """
    SELECT u.id AS user_id,
           (SELECT m."organizationId" FROM organization_memberships m
            WHERE m."userId" = u.id ORDER BY m."createdAt", m.id LIMIT 1) AS organization_id
    FROM users u
"""
_PLACE = """
    SELECT u.id AS user_id, o.id AS organization_id, m.role,
           (SELECT f."organizationId" FROM organization_memberships f
            WHERE f."userId" = u.id ORDER BY f."createdAt", f.id LIMIT 1) AS first_organization_id
    FROM (SELECT 1) one
    LEFT JOIN users u ON u."clerkId" = $1
    LEFT JOIN organizations o ON o."clerkId" = $2
    LEFT JOIN organization_memberships m ON m."userId" = u.id AND m."organizationId" = o.id
    ORDER BY u."createdAt", u.id, o."createdAt", o.id LIMIT 1
"""
_PROFILE = """
    SELECT u."clerkId" AS subject, u.email, u.name, o.id AS organization_id, o.name AS organization_name, m.role
    FROM users u
    LEFT JOIN organizations o ON o.id = $2
    LEFT JOIN organization_memberships m ON m."userId" = u.id AND m."organizationId" = o.id
    WHERE u.id = $1 LIMIT 1
"""
_FOUND = """
    SELECT u.id, u."clerkId" AS subject, u.email, u.name, u."createdAt" AS created_at,
           (SELECT count(*) FROM sorami.jobs j WHERE j.owner_id = u.id AND j.status IN ('PENDING', 'GENERATING'))::int
               AS open_jobs,
           (SELECT count(*) FROM sorami.api_keys k WHERE k.owner_id = u.id AND k.revoked_at IS NULL)::int AS keys
    FROM users u
    WHERE $1 = '' OR u.id = $1 OR strpos(lower(concat_ws(' ', u."clerkId", u.email, u.name)), lower($1)) > 0
    ORDER BY u."createdAt" DESC, u.id LIMIT $2
"""


async def found_people(pool: Pool, text: str, limit: int) -> list[Any]:
    """Return those whose id is this text or whose address, name or provider's id holds it, the newest first."""
    return list(await pool.fetch(_FOUND, text, limit))


async def person(pool: Pool, user_id: str) -> Any:
    """Return the user of this id, else of this identity provider's id, with the first organisation; None for nobody."""
    return await pool.fetchrow(
        _PERSON + ' WHERE u.id = $1 OR u."clerkId" = $1 ORDER BY u.id = $1 DESC, u."createdAt", u.id LIMIT 1', user_id
    )


async def place_of(pool: Pool, subject: str, organization: str | None) -> Any:
    """Return what is known of a subject and an organisation, by the identity provider's ids; NULL what is not."""
    return await pool.fetchrow(_PLACE, subject, organization)


async def profile(pool: Pool, user_id: str, organization_id: str | None) -> Any:
    """Return a user's own data and those of one organisation; None for nobody."""
    return await pool.fetchrow(_PROFILE, user_id, organization_id)


async def first_person(pool: Pool) -> Any:
    """Return the first user ever, as the seeds did; only where an operator asked for it."""
    return await pool.fetchrow(_PERSON + ' ORDER BY u."createdAt", u.id LIMIT 1')
