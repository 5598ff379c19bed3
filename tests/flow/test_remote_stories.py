"""Whole stories of media that somebody else renders: asked for at the gateway, seen in the rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.gateway.usecases.accept_backend_webhook import AcceptBackendWebhook
from services.gateway.usecases.replay_parked import ReplayParked
from tests.support.engine import Rows, faked
from tests.support.postgres import Database, wait_for
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.flask import FakeFlask
from tests.support.providers.setups import SETUPS
from tests.support.wired import Wired, wired

WHO = {"Authorization": "Bearer u1"}
E1 = Path(__file__).parents[1] / "golden" / "e1_completed.json"


async def ask(services: Wired, kind: str, **body: Any) -> Any:
    await services.pool.execute("""INSERT INTO users (id, "clerkId") VALUES ('u1', 'user_u1') ON CONFLICT DO NOTHING""")
    return await services.gateway.post(f"/api/{kind}s/generate", json={"prompt": "a cat"} | body, headers=WHO)


async def status(services: Wired, kind: str, job_id: str) -> Any:
    return (await services.gateway.get(f"/api/{kind}s/{job_id}/status", headers=WHO)).json()


@pytest.mark.parametrize("name", ["openai", "replicate", "veo"])
def test_media_that_another_renders_are_the_user_s_in_the_end(migrated: Database, tmp_path: Path, name: str) -> None:
    """`openai` answers with the pictures, the others with an operation that takes its time."""
    setup = SETUPS[name]

    async def story() -> None:
        async with (
            faked(name, tmp_path, Behaviour.SLOW) as (fake, parts),
            wired(migrated.url, parts) as services,
        ):
            answer = await ask(services, setup.kind, model=setup.model)
            assert answer.status_code == 202, answer.text
            job_id = answer.json()["job_id"]
            await services.until_completed()
            assert (await status(services, setup.kind, job_id))["status"] == "COMPLETED"
            result = await services.gateway.get(f"/api/{setup.kind}s/{job_id}/result", headers=WHO)
            (item,) = result.json()[f"{setup.kind}s"]
            assert item["format"] == ("MP4" if setup.kind == "video" else "PNG")
            assert item["thumbnails"] is not None
            assert result.json()["metadata"]["model_name"] == setup.model
            assert len(fake.ledger.paid) == 1
            # Its ending is heard here as well, and changes nothing: whoever comes first closes the attempt.
            await services.hands.hand_on()
            rows = Rows(services.pool)
            await rows.until("SELECT 1 FROM sorami.operations WHERE job_id = $1 AND closed_at IS NOT NULL", job_id)
            assert [one["outcome"] for one in await rows.attempts(job_id)] == ["completed"]

    wait_for(story())


@pytest.mark.parametrize("own_id", [None, "backend-4711"])
def test_the_flask_backend_s_webhook_ends_the_job_that_was_given_to_it(
    migrated: Database, tmp_path: Path, own_id: str | None
) -> None:
    async def story() -> None:
        async with (
            faked("flask", tmp_path) as (fake, parts),
            wired(migrated.url, parts) as services,
        ):
            assert isinstance(fake, FakeFlask)
            fake.own_id = own_id
            job_id = (await ask(services, "image", model="flask-backend")).json()["job_id"]
            await services.hands.hand_on()
            rows = Rows(services.pool)
            await rows.until("SELECT 1 FROM sorami.tasks WHERE state = 'waiting' AND job_id = $1", job_id)
            assert fake.ledger.paid[0].body["job_id"] == job_id
            assert fake.ledger.paid[0].body["user_id"] == "u1"
            said = json.loads(E1.read_text(encoding="utf-8"))
            said["job_id"] = said["data"]["job_id"] = own_id or job_id
            answer = await services.gateway.post(
                "/api/webhooks/image-completion", json=said, headers={"X-Webhook-Secret": "s"}
            )
            assert answer.json() == {"success": True}
            await services.hands.hand_on()
            await services.hands.hand_on()
            assert (await status(services, "image", job_id))["status"] == "COMPLETED"
            # The task is settled and its operation with it: nothing waits for its deadline.
            await rows.until("SELECT 1 FROM sorami.tasks WHERE settled_at IS NOT NULL AND job_id = $1", job_id)
            await rows.until("SELECT 1 FROM sorami.operations WHERE outcome = 'completed' AND job_id = $1", job_id)

    wait_for(story())


async def say(services: Wired, job_id: str, **more: Any) -> Any:
    """Post the seeds' completion of a job as their backend does."""
    said = json.loads(E1.read_text(encoding="utf-8")) | {"job_id": job_id} | more
    said["data"]["job_id"] = job_id
    return await services.gateway.post("/api/webhooks/image-completion", json=said, headers={"X-Webhook-Secret": "s"})


@pytest.mark.parametrize("answers_with", ["backend-4711", None], ids=["its own id", "ours after all"])
def test_a_report_that_came_before_the_answer_to_its_submit_reaches_its_job_once_that_is_known(
    migrated: Database, tmp_path: Path, answers_with: str | None
) -> None:
    """With our own id in the answer the report was about something else, and is adopted as what it is."""

    async def story() -> None:
        async with (
            faked("flask", tmp_path) as (fake, parts),
            wired(migrated.url, parts) as services,
        ):
            assert isinstance(fake, FakeFlask)
            fake.own_id = answers_with
            fake.may_answer.clear()
            replay = ReplayParked(
                services.pool, AcceptBackendWebhook(services.pool, services.hands.offer, orphans="adopt")
            )
            job_id = (await ask(services, "image", model="flask-backend")).json()["job_id"]
            await services.hands.hand_on()
            rows = Rows(services.pool)
            await rows.until("SELECT 1 FROM sorami.operations WHERE step = 'submitting'")
            assert (await say(services, "backend-4711", user_id="u1")).json() == {"success": True, "parked": True}
            await replay.look()
            assert await services.pool.fetchval("SELECT resolution FROM sorami.orphans") is None
            fake.may_answer.set()
            await rows.until("SELECT 1 FROM sorami.operations WHERE step = 'submitted'")
            await replay.look()
            await replay.look()
            assert await services.pool.fetchval("SELECT resolution FROM sorami.orphans") == "assigned"
            await services.hands.hand_on()
            known = await services.pool.fetch("SELECT id, status FROM sorami.jobs ORDER BY created_at")
            if answers_with:
                assert [tuple(row) for row in known] == [(job_id, "COMPLETED")]
            else:
                assert [tuple(row) for row in known] == [(job_id, "GENERATING"), ("backend-4711", "COMPLETED")]

    wait_for(story())


def test_models_are_listed_with_what_they_can_do(migrated: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with faked("veo", tmp_path) as (_, parts), wired(migrated.url, parts) as services:
            answer = await services.gateway.get("/api/models", headers=WHO)
            assert answer.status_code == 200
            models = {model["id"]: model for model in answer.json()["models"]}
            assert models["procedural-1"]["default_for"] == ["image", "video"]
            assert models["veo-3.1"]["kinds"] == ["video"]
            assert {one["id"] for one in answer.json()["retired"]} == {"gemini-2.5-flash-image"}
            again = await services.gateway.get("/api/models", headers=WHO | {"If-None-Match": answer.headers["etag"]})
            assert again.status_code == 304

    wait_for(story())


def test_a_retired_model_is_refused_with_its_successor(migrated: Database) -> None:
    async def story() -> None:
        async with wired(migrated.url) as services:
            answer = await ask(services, "image", model="gemini-2.5-flash-image")
            assert answer.status_code == 422
            assert (answer.json()["code"], answer.json()["successor"]) == ("model_retired", "gemini-3.1-flash-image")

    wait_for(story())


def test_a_model_of_another_kind_is_refused(migrated: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with faked("veo", tmp_path) as (_, parts), wired(migrated.url, parts) as services:
            answer = await ask(services, "image", model="veo-3.1")
            assert (answer.status_code, answer.json()["code"]) == (422, "model_unknown")

    wait_for(story())
