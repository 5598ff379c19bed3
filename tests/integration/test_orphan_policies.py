"""What becomes of a report on a job nobody knows is the operator's choice, and never a guess."""

from collections.abc import Sequence

import asyncpg
import pytest

from contracts.kinds import IMAGE
from contracts.legacy_webhook import read_backend_webhook
from services.gateway.usecases.accept_backend_webhook import (
    AcceptBackendWebhook,
    IgnoredReport,
    OrphanPolicy,
    Outcome,
    Parked,
    Refused,
    Taken,
)
from services.runtime.outbox import OutboxRow
from tests.support.golden import golden
from tests.support.postgres import Database, wait_for


async def decide(database: Database, policy: OrphanPolicy, body: dict[str, object]) -> tuple[Outcome, list[OutboxRow]]:
    offered: list[OutboxRow] = []

    def offer(rows: Sequence[OutboxRow]) -> None:
        offered.extend(rows)

    async with asyncpg.create_pool(database.url, min_size=1, max_size=2) as pool:
        await pool.execute(
            """INSERT INTO users (id, "clerkId") VALUES ('first', 'user_first') ON CONFLICT DO NOTHING"""
        )
        accept = AcceptBackendWebhook(pool, offer, orphans=policy)
        return await accept(read_backend_webhook(IMAGE, body), body, None), offered


@pytest.mark.parametrize(
    ("policy", "expected"), [("adopt", Parked("user_unknown")), ("reject", Refused()), ("first-user", Taken())]
)
def test_a_report_of_nobody_follows_the_policy(migrated: Database, policy: OrphanPolicy, expected: Outcome) -> None:
    outcome, offered = wait_for(decide(migrated, policy, golden("e1_completed")))
    assert outcome == expected
    owners = migrated.rows('SELECT "authorId" FROM image_generations')
    assert owners == ([("first",)] if policy == "first-user" else [])
    assert [row.topic for row in offered] == (["job.completed"] if policy == "first-user" else [])


def test_progress_of_nobody_is_ignored_under_every_policy(migrated: Database) -> None:
    outcome, offered = wait_for(decide(migrated, "first-user", golden("e2_progress")[0]))
    assert outcome == IgnoredReport("unknown")
    assert offered == []


def test_an_adopted_picture_has_the_seeds_words_when_nobody_said_the_prompt(migrated: Database) -> None:
    body = golden("e1_completed")
    body["data"]["images"][0]["description"] = None
    wait_for(decide(migrated, "adopt", body | {"user_id": "user_first"}))
    assert migrated.rows("SELECT prompt, size, model FROM image_generations") == [
        ("Image générée depuis le backend", "1024x1024", "gemini-2.5-flash-image")
    ]
