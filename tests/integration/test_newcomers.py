"""A person seen for the first time becomes one user, and never somebody else."""

import asyncio
from typing import Any

import asyncpg
import pytest

from services.gateway.usecases.welcome_person import welcome_person
from services.runtime.claims import read_principal
from services.runtime.identity import Caller
from services.runtime.tokens import TokenRefused
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
