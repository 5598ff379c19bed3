"""Who renders when the one who was to render cannot: detours, shut doors, probes, and every attempt told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from contracts.breakers import Breaker, Door
from services.gateway.queries.queue import queues
from services.generator.store.health import change_health, take_probe
from tests.support.engine import Rows, side_by_side
from tests.support.postgres import Database, wait_for
from tests.support.providers.behaviours import PAUSE_SECONDS, Behaviour
from tests.support.providers.fake import FakeProvider
from tests.support.wired import Wired, wired

WHO = {"Authorization": "Bearer u1"}
FAL, OPENAI = "flux", "gpt-image-2"


class Stage:
    """fal and OpenAI beside our own renderer, behind a gateway."""

    def __init__(self, fakes: dict[str, FakeProvider], services: Wired) -> None:
        self.fal, self.openai = fakes["fal"], fakes["openai"]
        self.services = services
        self.rows = Rows(services.pool)

    async def ask(self, **body: Any) -> str:
        answer = await self.services.gateway.post(
            "/api/images/generate", json={"prompt": "a cat", "size": "256x256"} | body, headers=WHO
        )
        assert answer.status_code == 202, answer.text
        await self.services.hands.hand_on()
        job_id: str = answer.json()["job_id"]
        return job_id

    async def ended(self, job_id: str) -> dict[str, Any]:
        """Wait for the job's end in the rows and return it as its owner sees it."""
        await self.rows.ended(job_id)
        await self.services.hands.hand_on()
        job: dict[str, Any] = await self.get(f"/api/jobs/{job_id}")
        return job

    async def get(self, path: str) -> Any:
        answer = await self.services.gateway.get(path, headers=WHO)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def attempts(self, job_id: str) -> list[dict[str, Any]]:
        # What our own process rendered is noted after it is told.
        await self.rows.until("SELECT 1 FROM sorami.operations WHERE job_id = $1 AND closed_at IS NOT NULL", job_id)
        found: list[dict[str, Any]] = (await self.get(f"/api/jobs/{job_id}/attempts"))["attempts"]
        return found

    async def model(self, name: str) -> dict[str, Any]:
        models = (await self.get("/api/models"))["models"]
        found: dict[str, Any] = next(model for model in models if model["id"] == name)
        return found


@asynccontextmanager
async def stage(
    database: Database, folder: Path, order: Sequence[str] = (FAL, OPENAI, "instant"), **settings: Any
) -> AsyncIterator[Stage]:
    async with (
        side_by_side(folder, "fal", "openai", orders={"image": order}) as (fakes, parts),
        wired(database.url, parts, **settings) as services,
    ):
        await services.pool.execute("""INSERT INTO users (id, "clerkId") VALUES ('u1', 'user_u1')""")
        yield Stage(fakes, services)


def test_a_provider_that_refuses_our_key_is_passed_over_and_its_door_is_shut_at_once(
    migrated: Database, tmp_path: Path
) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path) as on:
            on.fal.script = Behaviour.AUTH
            job = await on.ended(await on.ask())
            assert (job["status"], job["model"]) == ("COMPLETED", OPENAI)
            refused, done = await on.attempts(job["job_id"])
            assert (refused["provider"], refused["model"], refused["outcome"]) == ("fal", FAL, "failed")
            assert (refused["failure"]["code"], refused["charged"]) == ("provider_auth", "no")
            assert "Cannot authenticate" in refused["failure"]["provider_words"]
            assert (done["provider"], done["model"], done["outcome"], done["charged"]) == (
                "openai", OPENAI, "completed", "yes",
            )  # fmt: skip
            result = await on.get(f"/api/images/{job['job_id']}/result")
            assert result["metadata"]["model_name"] == OPENAI
            assert ((await on.model(FAL))["available"], (await on.model(FAL))["unavailable_reason"]) == (
                False, "failing",
            )  # fmt: skip
            assert (await on.model(OPENAI))["available"]
            # Seen by operators though nothing waits there any more.
            assert [(one.provider, one.breaker) for one in await queues(on.services.pool)] == [("fal", "open")]

            # Whoever comes next does not knock there at all.
            knocked = len(on.fal.ledger.tried)
            assert (await on.ended(await on.ask()))["model"] == OPENAI
            assert len(on.fal.ledger.tried) == knocked

    wait_for(story())


def test_a_model_that_was_named_is_not_replaced_unless_the_request_allows_it(
    migrated: Database, tmp_path: Path
) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path) as on:
            on.fal.script = Behaviour.QUOTA
            named = await on.ended(await on.ask(model=FAL))
            assert (named["status"], named["failure"]["code"], named["model"]) == ("FAILED", "quota", FAL)
            await on.services.pool.execute("DELETE FROM sorami.provider_health")
            await on.services.generator.watch_health.look()
            allowed = await on.ended(await on.ask(model=FAL, fallback=True))
            assert (allowed["status"], allowed["model"]) == ("COMPLETED", OPENAI)
            answer = await on.services.gateway.post(f"/api/jobs/{named['job_id']}/retry", headers=WHO)
            assert answer.status_code == 202

    wait_for(story())


@pytest.mark.parametrize("script", [Behaviour.HALF_ANSWER, Behaviour.FILTER_OUTPUT, Behaviour.INVALID])
def test_nobody_takes_over_what_may_have_been_charged_or_what_was_refused(
    migrated: Database, tmp_path: Path, script: Behaviour
) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path) as on:
            on.fal.script = script
            job = await on.ended(await on.ask())
            assert (job["status"], job["model"]) == ("FAILED", FAL)
            assert on.openai.ledger.tried == []

    wait_for(story())


def test_what_waits_at_a_shut_door_moves_on_and_what_may_not_waits_for_the_probe(
    migrated: Database, tmp_path: Path
) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path) as on:
            pool, health = on.services.pool, on.services.generator.watch_health
            shut = Breaker(Door.OPEN, failures=5, openings=1, pause=60)
            await change_health(pool, "fal", [FAL], lambda *_: shut, code="overloaded")
            await health.look()
            assert health.allowed("fal") == 0
            patient = await on.ask(model=FAL, fallback=False)
            moved = await on.ended(await on.ask())
            assert (moved["status"], moved["model"]) == ("COMPLETED", OPENAI)
            assert on.fal.ledger.tried == []
            assert (await on.get(f"/api/jobs/{patient}"))["status"] == "PENDING"

            await pool.execute("UPDATE sorami.provider_health SET retry_at = now()")
            assert (await on.ended(patient))["model"] == FAL
            row = await pool.fetchrow("SELECT state, failures FROM sorami.provider_health")
            assert (row["state"], row["failures"]) == ("closed", 0)

    wait_for(story())


def test_one_task_tries_a_door_whose_pause_is_over_and_its_failure_shuts_it_for_longer(
    migrated: Database, tmp_path: Path
) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path, breaker_failures=2, breaker_seconds=2.0, max_attempts=9) as on:
            on.fal.script = Behaviour.CAPACITY
            for _ in range(5):
                await on.ask(model=FAL)
            first = await on.rows.until("SELECT * FROM sorami.provider_health WHERE state = 'open' AND openings = 1")
            # The provider's own wish is longer than our pause.
            assert (first["retry_at"] - first["opened_at"]).total_seconds() >= PAUSE_SECONDS - 1
            # Those that were on their way when the door was shut have knocked as well.
            await on.rows.until("SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.tasks WHERE state = 'running')")
            knocked = len(on.fal.ledger.tried)
            await on.services.pool.execute("UPDATE sorami.provider_health SET retry_at = now()")
            await on.services.pool.execute("UPDATE sorami.tasks SET due_at = now() WHERE state = 'queued'")
            on.services.generator.run_tasks.wake()
            await on.rows.until("SELECT 1 FROM sorami.provider_health WHERE state = 'open' AND openings = 2")
            assert len(on.fal.ledger.tried) == knocked + 1
            assert await on.services.pool.fetchval("SELECT count(*) FROM sorami.tasks WHERE state = 'finished'") == 0

    wait_for(story())


def test_of_many_processes_one_has_the_probe(migrated: Database) -> None:
    async def story() -> None:
        async with wired(migrated.url) as services:
            shut = Breaker(Door.OPEN, failures=5, openings=1, pause=0)
            await change_health(services.pool, "fal", [""], lambda *_: shut, code="provider_auth")
            won = await asyncio.gather(*(take_probe(services.pool, "fal", "", silent_after=60) for _ in range(6)))
            assert sorted(won) == [False] * 5 + [True]

    wait_for(story())


def test_what_our_own_process_renders_is_listed_as_well_and_for_its_owner_alone(
    migrated: Database, tmp_path: Path
) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path) as on:
            job = await on.ended(await on.ask(model="instant"))
            (attempt,) = await on.attempts(job["job_id"])
            assert (attempt["provider"], attempt["model"], attempt["outcome"]) == ("instant", "instant", "completed")
            assert (attempt["charged"], attempt["submits"], attempt["failure"]) == ("no", 0, None)
            assert attempt["started_at"] <= attempt["ended_at"]
            path = f"/api/jobs/{job['job_id']}/attempts"
            foreign = await on.services.gateway.get(path, headers={"Authorization": "Bearer u2"})
            absent = await on.services.gateway.get("/api/jobs/nobody/attempts", headers=WHO)
            assert (foreign.status_code, foreign.json()) == (404, absent.json())

    wait_for(story())


def test_what_an_operator_paused_is_told_with_the_models(migrated: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path) as on:
            insert = "INSERT INTO sorami.pauses (scope, name, paused_by) VALUES ($1, $2, 'op')"
            await on.services.pool.execute(insert, "provider", "fal")
            await on.services.pool.execute(insert, "kind", "video")
            said = {one["id"]: one["unavailable_reason"] for one in (await on.get("/api/models"))["models"]}
            assert said == {"procedural-1": None, "instant": None, FAL: "paused", OPENAI: None}
            (ability,) = (await on.model(FAL))["abilities"]
            assert (ability["order"], ability["default"]) == (1, True)

    wait_for(story())


def test_impossible_work_is_refused_with_what_the_model_can_do_and_who_else_could(
    migrated: Database, tmp_path: Path
) -> None:
    async def story() -> None:
        async with stage(migrated, tmp_path) as on:
            answer = await on.services.gateway.post(
                "/api/images/generate", json={"prompt": "a cat", "model": "instant", "format": "WEBP"}, headers=WHO
            )
            problem = answer.json()
            assert (answer.status_code, problem["code"], problem["field"]) == (422, "model_cannot", "format")
            assert problem["detail"].startswith("instant makes PNG, not WEBP; procedural-1 or ")
            assert problem["models"] == ["procedural-1", FAL, OPENAI]
            batch = {
                "requests": [{"prompt": "a"}, {"prompt": "b", "model": "instant", "format": "JPEG"}],
                "kind": "image",
            }
            answer = await on.services.gateway.post("/api/batches", json=batch, headers=WHO)
            assert (answer.status_code, answer.json()["field"]) == (422, "requests.1.format")
            assert await on.services.pool.fetchval("SELECT count(*) FROM sorami.jobs") == 0

    wait_for(story())
