"""Welcome a person whose valid token says something new: a user, an organisation or a membership of ours appears."""

import asyncpg

from contracts.ids import new_id
from services.gateway.queries import people
from services.gateway.store.people import CHANGE_ROLE, INSERT_MEMBERSHIP, INSERT_ORGANIZATION, INSERT_USER
from services.runtime.claims import OrganizationClaim, Principal
from services.runtime.database import Pool
from services.runtime.identity import Caller
from services.runtime.tokens import TokenRefused

DEFAULT_ROLE = "member"


async def welcome_person(pool: Pool, principal: Principal) -> Caller:
    """Insert what is missing, once however many requests come at the same time; raises TokenRefused."""
    claim = principal.organization
    found = await people.place_of(pool, principal.subject, claim.id if claim else None)
    if found["user_id"] is None:
        await _insert_user(pool, principal)
    if claim is not None and found["organization_id"] is None:
        await _insert_organization(pool, claim)
    if found["user_id"] is None or (claim is not None and found["organization_id"] is None):
        found = await people.place_of(pool, principal.subject, claim.id if claim else None)
    if claim is None:
        return Caller(found["user_id"], found["first_organization_id"])
    user_id, organization_id = found["user_id"], found["organization_id"]
    role = await _keep_membership(pool, user_id, organization_id, found["role"], claim)
    return Caller(user_id, organization_id, role=role)


async def _insert_user(pool: Pool, principal: Principal) -> None:
    values = (new_id(), principal.subject, principal.email, principal.name)
    try:
        await pool.execute(INSERT_USER, *values)
        if (await people.place_of(pool, principal.subject, None))["user_id"] is None:
            # The address is another user's and unique here. An address proves nobody, so these stay two users.
            await pool.execute(INSERT_USER, *values[:2], None, principal.name)
    except asyncpg.NotNullViolationError as error:
        # A database that Prisma made may want more of a user than a token says.
        raise _incomplete("user_incomplete", "users", error.column_name) from None
    if (await people.place_of(pool, principal.subject, None))["user_id"] is None:
        raise _incomplete("user_incomplete", "users", None)


async def _insert_organization(pool: Pool, claim: OrganizationClaim) -> None:
    try:
        await pool.execute(INSERT_ORGANIZATION, new_id(), claim.id, claim.slug or claim.id)
    except asyncpg.NotNullViolationError as error:
        raise _incomplete("organization_incomplete", "organizations", error.column_name) from None


async def _keep_membership(
    pool: Pool, user_id: str, organization_id: str | None, known: str | None, claim: OrganizationClaim
) -> str:
    if organization_id is None:
        raise _incomplete("organization_incomplete", "organizations", None)
    role = claim.role or known or DEFAULT_ROLE
    try:
        if known is None:
            await pool.execute(INSERT_MEMBERSHIP, new_id(), user_id, organization_id, role)
        elif known != role:
            await pool.execute(CHANGE_ROLE, user_id, organization_id, role)
    except asyncpg.NotNullViolationError as error:
        raise _incomplete("organization_incomplete", "organization_memberships", error.column_name) from None
    except asyncpg.InvalidTextRepresentationError:
        # The column is an enum of an application that does not know this role.
        raise _incomplete("organization_incomplete", "organization_memberships", "role") from None
    return role


def _incomplete(code: str, table: str, column: str | None) -> TokenRefused:
    detail = (
        f"{table}.{column or 'a column'} wants something here that the token does not carry; "
        "add the claim, or make the row first"
    )
    return TokenRefused(code, detail)
