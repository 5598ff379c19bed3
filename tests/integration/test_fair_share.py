"""Whose turn it is: the claims themselves on a real database, under the generator's role."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg

from contracts.events import JobRequested
from contracts.kinds import KINDS
from contracts.sharing import Shares
from contracts.status import JobStatus
from services.gateway.queries.generations import StatusView
from services.gateway.usecases.estimate_wait import EstimateWait
from services.generator.store.leases import Claim, claim, release
from services.generator.store.tasks import NewTask, accept_tasks
from tests.support.postgres import Database, wait_for

PROVIDER = "painter"


class Generator:
    """What a generator does with the task table, without anything being rendered."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self._number = 0

    async def ask(
        self,
        owner: str,
        count: int = 1,
        *,
        organization: str | None = None,
        model: str = "brush",
        kind: str = "image",
        provider: str = PROVIDER,
        **more: Any,
    ) -> list[str]:
        """Queue jobs of somebody, oldest first, and return their ids."""
        ids = [f"{owner}-{self._number + number:06d}" for number in range(count)]
        self._number += count
        await accept_tasks(
            self.pool,
            [
                NewTask(
                    JobRequested(
                        job_id=job_id,
                        kind=kind,
                        at=datetime.now(UTC),
                        user_id=owner,
                        organization_id=organization,
                        prompt="x",
                        count=1,
                        size="64x64",
                        format="PNG",
                        **more,
                    ),
                    provider,
                    model,
                    None,
                )
                for job_id in ids
            ],
        )
        return ids

    async def claim(self, slots: int = 1, shares: Shares | None = None, provider: str = PROVIDER) -> list[Claim]:
        return await claim(self.pool, {provider: slots}, worker="test", lease_seconds=60, shares=shares or Shares())

    async def turns(self, number: int, shares: Shares | None = None) -> list[Claim]:
        """Give out turns one by one."""
        return [one for _ in range(number) for one in await self.claim(1, shares)]

    async def owners(self, number: int, shares: Shares | None = None) -> list[str]:
        """Give out turns one by one and return whose they were."""
        return [one.owner_id for one in await self.turns(number, shares)]

    async def finish(self, claims: list[Claim]) -> None:
        await self.pool.execute(
            "UPDATE sorami.tasks SET state = 'finished' WHERE job_id = ANY($1::text[])", [one.job_id for one in claims]
        )


@asynccontextmanager
async def generator(database: Database) -> AsyncIterator[Generator]:
    async def take_role(connection: Any) -> None:
        await connection.execute("SET ROLE sorami_generator")

    async with asyncpg.create_pool(database.url, min_size=1, max_size=8, init=take_role) as pool:
        yield Generator(pool)


def told(database: Database, story: Callable[[Generator], Awaitable[None]]) -> None:
    async def tell() -> None:
        async with generator(database) as one:
            await story(one)

    wait_for(tell())


def test_each_gets_the_share_of_their_weight_whatever_they_have_queued(migrated: Database) -> None:
    async def story(one: Generator) -> None:
        loads = {"a": 700, "b": 100, "c": 300, "d": 500, "e": 400}
        for owner, load in loads.items():
            await one.ask(owner, load)
        weights = {"user": 1.0, "user:c": 3.0, "user:e": 0.5}
        got = Counter(await one.owners(325, Shares(weights=weights)))
        for owner in loads:
            share = 325 * weights.get(f"user:{owner}", 1.0) / 6.5
            assert abs(got[owner] - share) <= 0.1 * share, got

    told(migrated, story)


def test_a_batch_of_turns_is_as_fair_as_turns_one_by_one(migrated: Database) -> None:
    async def story(one: Generator) -> None:
        for owner in ("a", "b", "c"):
            await one.ask(owner, 50)
        assert Counter(claimed.owner_id for claimed in await one.claim(30)) == {"a": 10, "b": 10, "c": 10}

    told(migrated, story)


def test_a_lone_job_behind_a_thousand_of_another_is_next(migrated: Database) -> None:
    async def story(one: Generator) -> None:
        await one.ask("busy", 1_000)
        await one.owners(20)
        await one.ask("lone")
        assert "lone" in await one.owners(1)
        # And whoever asks again and again, one at a time, takes every second turn and no more.
        seen = []
        for _ in range(6):
            await one.ask("lone")
            seen += await one.owners(1)
        assert Counter(seen) == {"lone": 3, "busy": 3}

    told(migrated, story)


def test_organisations_share_with_people_and_members_with_one_another(migrated: Database) -> None:
    async def story(one: Generator) -> None:
        for member in ("m1", "m2", "m3"):
            await one.ask(member, 60, organization="acme")
        await one.ask("m1", 60)
        await one.ask("person", 60)
        got = Counter((claimed.owner_id, claimed.request.organization_id) for claimed in await one.turns(36))
        alone = {("person", None): 12, ("m1", None): 12}
        assert got == alone | {(member, "acme"): 4 for member in ("m1", "m2", "m3")}
        heavy = Shares(weights={"organization:acme": 4.0, "user:m2": 2.0})
        got = Counter((claimed.owner_id, claimed.request.organization_id) for claimed in await one.turns(24, heavy))
        assert sum(number for (_, organization), number in got.items() if organization) in (15, 16, 17)
        assert got["m2", "acme"] in (7, 8, 9)

    told(migrated, story)


def test_priority_orders_ones_own_jobs_and_nobody_elses(migrated: Database) -> None:
    async def story(one: Generator) -> None:
        later = await one.ask("a", 3)
        (urgent,) = await one.ask("a", priority=50, model="pencil")
        await one.ask("b", 3)
        first = [claimed.job_id for claimed in await one.turns(4)]
        assert [job_id for job_id in first if job_id.startswith("a")] == [urgent, later[0]]
        assert sum(job_id.startswith("b") for job_id in first) == 2

    told(migrated, story)


def test_nobody_catches_up_what_they_missed_behind_a_pause(migrated: Database) -> None:
    async def story(one: Generator) -> None:
        await one.ask("stopped", 50, model="pencil")
        await one.ask("working", 100)
        migrated.execute("INSERT INTO sorami.pauses (scope, name, paused_by) VALUES ('model', 'pencil', 'op')")
        assert set(await one.owners(40)) == {"working"}
        migrated.execute("DELETE FROM sorami.pauses")
        assert Counter(await one.owners(20)) == {"working": 10, "stopped": 10}

    told(migrated, story)


def test_a_pause_stops_what_it_names_and_nothing_else(migrated: Database) -> None:
    async def story(one: Generator) -> None:
        await one.ask("a", 4, model="brush")
        await one.ask("b", 4, model="pencil", kind="video")
        await one.ask("c", 9, provider="other", model="chalk")
        for scope, name, owners in (
            ("model", "brush", {"b"}),
            ("kind", "video", {"a"}),
            ("kind", "image", {"b"}),
            ("provider", PROVIDER, set()),
            ("provider", "other", {"a", "b"}),
            ("all", "", set()),
        ):
            migrated.execute("INSERT INTO sorami.pauses (scope, name, paused_by) VALUES ($1, $2, 'op')", scope, name)
            claims = await one.claim(2)
            assert {claimed.owner_id for claimed in claims} == owners, (scope, name)
            assert bool(await one.claim(1, provider="other")) == (name not in ("other", "", "image"))
            migrated.execute("DELETE FROM sorami.pauses")
            for claimed in claims:
                await release(one.pool, claimed, after_seconds=0, forgive_attempt=True)

    told(migrated, story)


def test_caps_hold_over_processes_that_claim_at_the_same_time(migrated: Database) -> None:
    async def story(one: Generator) -> None:
        for owner in ("a", "b", "c", "d"):
            await one.ask(owner, 30, organization="acme" if owner < "c" else None)
            await one.ask(owner, 30, provider="other", model="chalk", organization="acme" if owner < "c" else None)
        shares = Shares(caps={"provider:painter": 7, "model:chalk": 4, "organization": 3, "user": 2, "user:d": 5})

        async def under_way() -> Counter[str]:
            rows = await one.pool.fetch(
                "SELECT provider, model, organization_id, owner_id FROM sorami.tasks"
                " WHERE state IN ('running', 'waiting')"
            )
            return Counter(value for row in rows for value in row.values() if value)

        got = await asyncio.gather(
            *(one.claim(5, shares, provider) for _ in range(4) for provider in (PROVIDER, "other"))
        )
        claims = [claimed for some in got for claimed in some]
        now = await under_way()
        assert len(claims) == 10, "3 of the organisation, 2 of c, 5 of d: as many as the caps leave"
        assert now["chalk"] <= 4
        assert (now["acme"], now["c"], now["d"]) == (3, 2, 5)
        assert max(now["a"], now["b"]) == 2
        # A provider that works on an operation is at work on it, though no slot is taken.
        await one.pool.execute("UPDATE sorami.tasks SET state = 'waiting' WHERE state = 'running'")
        assert await one.claim(5, shares) == []
        freed = next(claimed for claimed in claims if claimed.owner_id == "c")
        await one.finish([freed])
        again = [*await one.claim(5, shares), *await one.claim(5, shares, "other")]
        assert [claimed.owner_id for claimed in again] == ["c"]

    told(migrated, story)


def test_two_generators_run_no_task_twice(migrated: Database) -> None:
    async def story(one: Generator) -> None:
        for owner in ("a", "b"):
            await one.ask(owner, 100)

        async def work() -> list[str]:
            done = []
            while claims := await one.claim(3):
                done += [claimed.job_id for claimed in claims]
            return done

        first, second = await asyncio.gather(work(), work())
        assert len(first) + len(second) == len(set(first) | set(second)) == 200
        assert min(len(first), len(second)) > 50

    told(migrated, story)


def test_what_is_put_back_waits_until_it_is_due_and_then_stands_in_line_again(migrated: Database) -> None:
    async def story(one: Generator) -> None:
        first, second = await one.ask("a", 2)
        (claimed,) = await one.claim(1)
        assert claimed.job_id == first
        await release(one.pool, claimed, after_seconds=60, forgive_attempt=False)
        (claimed,) = await one.claim(2)
        assert claimed.job_id == second
        await one.pool.execute("UPDATE sorami.tasks SET due_at = now() WHERE job_id = $1", first)
        (claimed,) = await one.claim(2)
        assert (claimed.job_id, claimed.attempts, claimed.fence) == (first, 2, 2)
        # Another provider's line takes it up as well, whoever moves it there.
        await one.pool.execute(
            "UPDATE sorami.tasks SET state = 'queued', provider = 'other', lease_until = NULL WHERE job_id = $1", first
        )
        (claimed,) = await one.claim(1, provider="other")
        assert claimed.job_id == first

    told(migrated, story)


def test_a_line_whose_tasks_were_called_off_holds_nobody_up(migrated: Database) -> None:
    async def story(one: Generator) -> None:
        for owner in ("a", "b", "c"):
            await one.ask(owner, 2, organization="acme")
        await one.pool.execute("UPDATE sorami.tasks SET state = 'cancelled' WHERE owner_id <> 'c'")
        assert await one.owners(2) == ["c", "c"]
        assert await one.claim(1) == []
        assert await one.pool.fetchval("SELECT count(*) FROM sorami.lines WHERE waiting") == 0
        await one.ask("a", 1, organization="acme")
        assert await one.owners(1) == ["a"]

    told(migrated, story)


def test_a_place_in_line_is_the_number_of_turns_until_ones_own(migrated: Database) -> None:
    shares = Shares(weights={"user:a": 2.0, "organization:acme": 4.0})

    async def story(one: Generator) -> None:
        for owner, load in (("a", 20), ("b", 9), ("c", 2)):
            await one.ask(owner, load)
            await one.ask(f"m{owner}", load, organization="acme")
        await one.ask("b", 3, priority=5, model="pencil")
        await one.turns(7, shares)
        await one.ask("late", 4)
        ids = [row["job_id"] for row in await one.pool.fetch("SELECT job_id FROM sorami.tasks WHERE state = 'queued'")]
        async with asyncpg.create_pool(migrated.url, min_size=1, max_size=1) as gateway:
            estimate = EstimateWait(gateway, shares)
            places = {job_id: (await estimate(_view(job_id))).queue_position for job_id in ids}
        order = {claimed.job_id: number for number, claimed in enumerate(await one.turns(len(ids), shares), 1)}
        assert {job_id: (places[job_id], order[job_id]) for job_id in ids if places[job_id] != order[job_id]} == {}

    told(migrated, story)


def _view(job_id: str) -> StatusView:
    return StatusView(KINDS["image"], job_id, JobStatus.PENDING, None, 0, None, None, datetime.now(UTC), model="brush")


def test_claims_walk_indexes_however_many_wait(migrated: Database) -> None:
    """A guard of what was measured: nothing in a claim reads the whole queue."""
    migrated.execute(
        """INSERT INTO sorami.tasks (job_id, kind, owner_id, provider, model, request)
           SELECT 'j' || i, 'image', 'u' || i % 50, 'painter', 'brush', '{}' FROM generate_series(1, 20000) i"""
    )

    async def story(one: Generator) -> None:
        async with one.pool.acquire() as connection, connection.transaction():
            claimed = await connection.fetch(
                "SELECT job_id FROM sorami.claim_tasks($1, $2, 'test', 60, '{}', '{}')", [PROVIDER], [4]
            )
            read = await connection.fetchval(
                "SELECT sum(seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_xact_user_tables"
            )
        assert len(claimed) == 4
        assert read < 1_000, "rows read for four turns among 50 owners with 20,000 tasks"

    told(migrated, story)
