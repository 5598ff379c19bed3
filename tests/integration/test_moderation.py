"""A content policy before the provider and one after it: typed, listed for operators, and never passed by silence."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from services.generator.moderation.http_policy import HttpPolicy
from services.generator.moderation.policy import Policy
from services.generator.moderation.words import WordList, read_words
from tests.integration.test_routes import Stage
from tests.support.engine import side_by_side
from tests.support.postgres import Database, wait_for
from tests.support.wired import wired


class PolicyService:
    """An operator's service: answers what it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {}
        self.status = 200
        self.token: str | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/judge", self._judge)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/judge"
        finally:
            await runner.cleanup()

    async def _judge(self, request: web.Request) -> web.Response:
        self.token = request.headers.get("Authorization")
        asked = await request.json()
        self.asked.append(asked)
        return web.json_response(self.answers.get(asked["stage"], {"allowed": True}), status=self.status)


@asynccontextmanager
async def stage(database: Database, folder: Path, policy: Policy, **settings: Any) -> AsyncIterator[Stage]:
    async with (
        side_by_side(folder, "fal", "openai", policy=policy) as (fakes, parts),
        wired(database.url, parts, **settings) as services,
    ):
        await services.pool.execute("""INSERT INTO users (id, "clerkId") VALUES ('u1', 'user_u1')""")
        yield Stage(fakes, services)


async def noted(on: Stage, job_id: str) -> list[tuple[str, str, str]]:
    rows = await on.services.pool.fetch(
        "SELECT actor, action, detail->>'stage' AS stage FROM sorami.audit_log WHERE subject = $1 ORDER BY id", job_id
    )
    return [(row["actor"], row["action"], row["stage"]) for row in rows]


def test_what_the_word_list_forbids_reaches_no_provider(migrated: Database, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("# nobody wants these\nInterdit\ngrand dragon   # two words\n")

    async def story() -> None:
        async with stage(migrated, tmp_path, WordList(read_words(words))) as on:
            for model in ("flux", "instant"):
                job = await on.ended(await on.ask(model=model, prompt="Un GRAND\u00a0 drágon qui dort"))
                failure = job["failure"]
                assert (job["status"], failure["code"], failure["charged"]) == ("FAILED", "content_filtered", "no")
                assert failure["filtered"] == {"stage": "input", "by": "policy", "reasons": ["grand dragon"]}
                assert job["error_message"] == "Le contenu a été refusé par les règles de ce service."
                assert await noted(on, job["job_id"]) == [("policy:words", "moderation.refused", "input")]
            assert on.fal.ledger.tried == []
            allowed = await on.ended(await on.ask(model="instant", prompt="Un grand dragonnier interdiction"))
            assert (allowed["status"], await noted(on, allowed["job_id"])) == ("COMPLETED", [])

    wait_for(story())


def test_a_policy_service_judges_what_was_asked_and_what_was_made(migrated: Database, tmp_path: Path) -> None:
    service = PolicyService()

    async def story() -> None:
        async with service.running() as url, stage(migrated, tmp_path, HttpPolicy(url, "t0ken", seconds=5)) as on:
            service.answers = {"output": {"allowed": False, "reasons": ["nudity"], "refused": [2]}}
            partly = await on.ended(await on.ask(model="flux", num_images=3))
            assert partly["status"] == "COMPLETED"
            result = await on.get(f"/api/images/{partly['job_id']}/result")
            assert len(result["images"]) == 2
            missing = result["metadata"]["partial"]["missing"]
            assert missing[0]["filtered"] == {"stage": "partial", "by": "policy", "reasons": ["nudity"]}
            assert service.token == "Bearer t0ken"
            before, after = service.asked
            assert (before["stage"], before["prompt"], before["media"]) == ("input", "a cat", [])
            assert [one["index"] for one in after["media"]] == [1, 2, 3]
            assert base64.b64decode(after["media"][0]["data"]).startswith((b"\x89PNG", b"RIFF"))

            service.answers = {"output": {"allowed": False}}
            for model, charged in (("flux", "yes"), ("instant", "no")):
                none = await on.ended(await on.ask(model=model))
                assert (none["status"], none["failure"]["charged"]) == ("FAILED", charged)
                assert none["failure"]["filtered"]["stage"] == "output"
                assert await noted(on, none["job_id"]) == [("policy:http", "moderation.refused", "output")]

    wait_for(story())


@pytest.mark.parametrize(("setting", "status", "paid"), [("open", "COMPLETED", 1), ("closed", "FAILED", 0)])
def test_a_policy_service_that_fails_lets_pass_or_holds_back_as_the_operator_chose(
    migrated: Database, tmp_path: Path, setting: str, status: str, paid: int
) -> None:
    service = PolicyService()
    service.status = 503

    async def story() -> None:
        async with (
            service.running() as url,
            stage(
                migrated, tmp_path, HttpPolicy(url, None, seconds=5), moderation_failure=setting, max_attempts=1
            ) as on,
        ):
            job = await on.ended(await on.ask(model="flux"))
            assert (job["status"], len(on.fal.ledger.paid)) == (status, paid)
            if setting == "closed":
                assert (job["failure"]["code"], job["failure"]["reason"]) == ("internal", "policy_unavailable")
            assert ("policy:http", "moderation.unjudged", "input") in await noted(on, job["job_id"])

    wait_for(story())
