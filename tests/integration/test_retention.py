"""What is kept for a while only: each rule lets go what is old enough, and nothing else."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
import pytest

from contracts.media_days import read_media_days, shortest
from services.runtime.database import open_pool
from services.runtime.retention import Retain, Rule
from sorami import retention
from tests.support.postgres import Database

OLD = """
    INSERT INTO sorami.jobs (id, kind, owner_id, organization_id, status, request, request_hash, completed_at)
    SELECT id, 'image', owner, org, 'COMPLETED', '{}', 'h', now() - days * interval '1 day'
    FROM (VALUES ('young', 'u1', NULL, 10), ('old', 'u1', NULL, 100), ('kept', 'u1', NULL, 100),
                 ('team', 'u1', 'o1', 100), ('ancient', 'u1', 'o1', 400), ('never', 'u2', NULL, 900))
        AS j(id, owner, org, days);
    INSERT INTO sorami.favourites (owner_id, generation_id, kind, made_at) VALUES ('u1', 'kept', 'image', now());
    INSERT INTO sorami.tasks (job_id, kind, owner_id, provider, model, request, verdict, state, settled_at)
    SELECT id, 'image', 'u1', 'instant', 'instant', '{"prompt": "a secret"}', '{}', 'finished', at
    FROM (VALUES ('t-old', now() - interval '40 days'), ('t-young', now()), ('t-open', now() - interval '40 days'))
        AS t(id, at);
    INSERT INTO sorami.operations (job_id, attempt, provider, owner_id) VALUES ('t-open', 1, 'veo', 'u1');
    INSERT INTO sorami.dead_letters (topic, partition, "offset", consumer, reason, resolution, resolved_at, at)
    VALUES ('t', 0, 1, 'c', 'r', 'replayed', now() - interval '91 days', now() - interval '100 days'),
           ('t', 0, 2, 'c', 'r', 'discarded', now() - interval '1 day', now() - interval '100 days'),
           ('t', 0, 3, 'c', 'r', NULL, NULL, now() - interval '900 days');
    INSERT INTO sorami.orphans (id, kind, job_id, status, payload, reason, resolution, resolved_at)
    VALUES ('o-old', 'image', 'j1', 's', '{}', 'r', 'discarded', now() - interval '91 days'),
           ('o-open', 'image', 'j2', 's', '{}', 'r', NULL, NULL);
    INSERT INTO sorami.job_events (job_id, seq, user_id, n, type, data, at)
    VALUES ('old', 1, 'u1', 1, 'job.updated', '{}', now() - interval '8 days'),
           ('old', 2, 'u1', 2, 'job.updated', '{}', now());
    INSERT INTO sorami.deliveries (id, endpoint, event_id, seq, type, payload, state, created_at, finished_at)
    VALUES ('d-old', 'e', 'e1', 1, 't', '{}', 'delivered', now() - interval '90 days', now() - interval '31 days'),
           ('d-pending', 'e', 'e2', 1, 't', '{}', 'pending', now() - interval '90 days', NULL);
    INSERT INTO sorami.outbox_gateway (topic, key, value, created_at)
    VALUES ('t', 'k', '', now() - interval '900 days');
"""
POLICY = "90,organization:o1=365,user:u2=0"


@pytest.fixture
def kept(migrated: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    migrated.execute(OLD)
    monkeypatch.setenv("DATABASE_URL", migrated.url)
    monkeypatch.setenv("SORAMI_MEDIA_DAYS", POLICY)
    return migrated


def names(database: Database, statement: str) -> set[Any]:
    return {row[0] for row in database.rows(statement)}


def test_what_is_old_enough_goes_and_everything_else_stays(kept: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert retention.main(["--json"]) == 0
    due = {row["what"]: row.get("due") for row in json.loads(capsys.readouterr().out)}
    assert due["media"] == 2 and due["dead letters"] == due["orphans"] == due["job events"] == due["deliveries"] == 1
    assert due["request and verdict of tasks"] == 1
    assert names(kept, "SELECT generation_id FROM sorami.deletions") == set()

    assert retention.main(["--run"]) == 0
    assert "2 may go, 2 went" in capsys.readouterr().out
    # Favourites, the young and whoever's policy says otherwise stay; what goes can be restored for a while.
    assert names(kept, "SELECT generation_id FROM sorami.deletions WHERE purge_after > now() + interval '29 days'") == {
        "old",
        "ancient",
    }
    assert names(kept, "SELECT job_id FROM sorami.tasks") == {"t-old", "t-young", "t-open"}
    assert names(kept, "SELECT job_id FROM sorami.tasks WHERE request = '{}' AND verdict IS NULL") == {"t-old"}
    assert names(kept, 'SELECT "offset" FROM sorami.dead_letters') == {2, 3}
    assert names(kept, "SELECT id FROM sorami.orphans") == {"o-open"}
    assert names(kept, "SELECT seq FROM sorami.job_events") == {2}
    assert names(kept, "SELECT id FROM sorami.deliveries") == {"d-pending"}
    assert kept.value("SELECT count(*) FROM sorami.outbox_gateway") == 1

    assert retention.main(["--json"]) == 0
    assert {row.get("due", 0) for row in json.loads(capsys.readouterr().out)} == {0}


async def test_everything_that_may_go_goes_a_page_at_a_time(migrated: Database) -> None:
    migrated.execute(
        """INSERT INTO sorami.dead_letters (topic, partition, "offset", consumer, reason, resolution, resolved_at)
           SELECT 't', 0, n, 'c', 'r', 'discarded', now() - interval '91 days' FROM generate_series(1, 2500) AS n"""
    )
    rules = [rule for rule in _rules("persistence", migrated) if rule.what == "dead letters"]
    async with await open_pool(migrated.url, role="sorami_persistence", application="test", size=2) as pool:
        gone = await asyncio.gather(*(Retain(pool, rules).look() for _ in range(2)))
        assert await pool.fetchval("SELECT count(*) FROM sorami.dead_letters") == 0
    assert sum(one.get("dead letters", 0) for one in gone) == 2_500


def test_a_policy_is_read_as_it_is_written() -> None:
    policy = read_media_days(POLICY.split(","))
    assert policy == {"": 90.0, "organization:o1": 365.0, "user:u2": 0.0}
    assert shortest(policy) == 90.0
    assert shortest(read_media_days(["0"])) is None


@pytest.mark.parametrize("wrong", ["soon", "team:x=9", "user:=9", "-1", "user:a=-3"])
def test_a_wrong_policy_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="days"):
        read_media_days([wrong])


async def test_without_a_policy_nothing_of_anybody_goes(migrated: Database) -> None:
    migrated.execute(OLD)
    async with asyncpg.create_pool(migrated.url, min_size=1, max_size=1) as pool:
        media = next(rule for rule in _rules("gateway", migrated) if rule.what == "media")
        assert (await media.count(pool), await media.page(pool)) == (0, 0)


def _rules(service: str, database: Database) -> Sequence[Rule]:
    settings, rules_of = next((settings, rules) for name, settings, rules in retention.SERVICES if name == service)
    made: Callable[[Any], list[Rule]] = rules_of
    return made(settings(database_url=database.url))
