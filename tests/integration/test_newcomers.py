"""A person seen for the first time becomes one user, and never somebody else."""

import asyncio
from typing import Any

import asyncpg
import pytest

from services.gateway.usecases.welcome_person import welcome_person
from services.runtime.claims import read_principal
from services.runtime.identity import Caller
from services.runtime.tokens import TokenRefused
from tests.support import prisma_made
from tests.support.postgres import Database, wait_for


async def welcome(database: Database, *claims: dict[str, Any]) -> list[Caller]:
    async with asyncpg.create_pool(database.url, min_size=1, max_size=8) as pool:
        return list(await asyncio.gather(*(welcome_person(pool, read_principal(one)) for one in claims)))


def test_requests_that_come_together_make_one_user(migrated: Database) -> None:
    callers = wait_for(welcome(migrated, *[{"sub": "user_new", "email": "a@example.com"}] * 20))
    assert len({caller.user_id for caller in callers}) == 1
    assert migrated.rows('SELECT "clerkId", email FROM users') == [("user_new", "a@example.com")]


def test_a_subject_that_reads_like_anothers_id_is_not_that_other(migrated: Database) -> None:
    migrated.execute("""INSERT INTO users (id, "clerkId") VALUES ('taken', 'user_a')""")
    caller = wait_for(welcome(migrated, {"sub": "taken"}))[0]
    assert caller.user_id != "taken"


def test_a_database_that_wants_more_of_a_user_says_so(migrated: Database) -> None:
    migrated.execute("ALTER TABLE users ALTER email SET NOT NULL")
    with pytest.raises(TokenRefused) as refused:
        wait_for(welcome(migrated, {"sub": "user_new"}))
    assert (refused.value.code, "users.email" in refused.value.detail) == ("user_incomplete", True)


IN_ORGANIZATION = {
    "sub": "user_new",
    "email": "new@example.org",
    "v": 2,
    "o": {"id": "org_new", "rol": "admin", "slg": "acme"},
}
MEMBERS = """
    SELECT u."clerkId", o."clerkId", o.name, m.role::text FROM organization_memberships m
    JOIN users u ON u.id = m."userId" JOIN organizations o ON o.id = m."organizationId" WHERE u."clerkId" = 'user_new'
"""


def test_an_organisation_appears_in_a_database_that_prisma_made(empty: Database) -> None:
    prisma_made.make(empty)
    assert empty.migrate().code == 0
    callers = wait_for(welcome(empty, *[IN_ORGANIZATION] * 10))
    assert len({(caller.user_id, caller.organization_id) for caller in callers}) == 1
    assert empty.rows(MEMBERS) == [("user_new", "org_new", "acme", "admin")]


def test_somebody_prisma_knows_keeps_id_and_organisation(empty: Database) -> None:
    prisma_made.make(empty)
    assert empty.migrate().code == 0
    known = empty.rows("""SELECT u.id, m."organizationId" FROM users u
                          JOIN organization_memberships m ON m."userId" = u.id WHERE u."clerkId" = 'user_1'""")
    caller = wait_for(welcome(empty, {"sub": "user_1"}))[0]
    assert [(caller.user_id, caller.organization_id)] == known


def test_a_role_that_the_applications_own_type_does_not_know_is_said(migrated: Database) -> None:
    migrated.execute(
        """CREATE TYPE "Role" AS ENUM ('member', 'admin');
           ALTER TABLE organization_memberships ALTER role DROP DEFAULT;
           ALTER TABLE organization_memberships ALTER role TYPE "Role" USING role::"Role"
        """
    )
    assert wait_for(welcome(migrated, IN_ORGANIZATION))[0].role == "admin"
    assert wait_for(welcome(migrated, IN_ORGANIZATION | {"o": {"id": "org_new", "rol": "member"}}))[0].role == "member"
    with pytest.raises(TokenRefused) as refused:
        wait_for(welcome(migrated, IN_ORGANIZATION | {"o": {"id": "org_new", "rol": "billing"}}))
    assert refused.value.code == "organization_incomplete"
    assert migrated.rows(MEMBERS) == [("user_new", "org_new", "acme", "member")]


def test_an_organisation_that_must_have_more_than_a_token_says_is_refused_in_words(migrated: Database) -> None:
    migrated.execute("ALTER TABLE organizations ADD slug text NOT NULL")
    with pytest.raises(TokenRefused) as refused:
        wait_for(welcome(migrated, IN_ORGANIZATION))
    assert (refused.value.code, "organizations.slug" in refused.value.detail) == ("organization_incomplete", True)
