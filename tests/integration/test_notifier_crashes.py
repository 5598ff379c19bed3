"""A notifier that is killed at any step: the next one sends what is owed, under the same id and with the same bytes."""

import asyncio
import subprocess
import sys

import asyncpg

from tests.integration.test_webhook_planning import ENDPOINTS, ending, settled
from tests.support.console import console
from tests.support.notifier_process import STEPS
from tests.support.postgres import PostgresServer
from tests.support.receiver import Receiver, running

# Of what was sent and not settled nobody knows whether it was taken: it is sent again.
TOLD = {"heard": 1, "planned": 1, "claimed": 1, "sent": 2, "settled": 1, "judged": 1}
ATTEMPTS = {"heard": 1, "planned": 1, "claimed": 2, "sent": 2, "settled": 1, "judged": 1}


async def dying(url: str, port: int, step: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.notifier_process", url, str(port), step, stdout=subprocess.DEVNULL
    )


async def outlived(url: str, told: Receiver, step: str) -> tuple[int, int, str]:
    """Kill a notifier at a step and let another go on; return calls, attempts and the state of the delivery."""
    path = f"/{step}"
    async with console(url, allowed=frozenset({("127.0.0.1", told.port)})) as (client, _):
        made = await client.post(ENDPOINTS, json={"url": told.url(path), "event_types": ["job.cancelled"]})
        assert made.status_code == 201, made.text
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        event = ending()
        # The row is there before anybody is told anything.
        await pool.execute("UPDATE sorami.webhook_endpoints SET active_since = now() - interval '1 hour'")
        await pool.execute(
            "INSERT INTO sorami.job_events (job_id, seq, user_id, n, type, data, at)"
            " VALUES ($1, $2, $3, $4, 'job.updated', $5, now() - interval '10 seconds')",
            event.job_id,
            event.seq,
            event.user_id,
            event.n,
            event.model_dump_json(exclude_none=True),
        )
        first = await dying(url, told.port, step)
        async with asyncio.timeout(60):
            assert await first.wait() == -9
        # As if its lease were over; another process waits for no more than that.
        await pool.execute("UPDATE sorami.deliveries SET lease_until = now() WHERE lease_until IS NOT NULL")
        async with console(url, allowed=frozenset({("127.0.0.1", told.port)})) as (_, parts):
            next_one = asyncio.create_task(parts.deliver_webhooks.run(parts.plan_deliveries))
            (row,) = await settled(parts, 1)
            await parts.deliver_webhooks.stop()
            await next_one
        assert await pool.fetchval("SELECT count(*) FROM sorami.deliveries") == 1
    calls = told.at(path)
    assert len({(call.id, call.raw) for call in calls}) == 1
    return len(calls), row["attempts"], row["state"]


async def test_killed_at_any_step_a_notifier_loses_no_delivery(postgres: PostgresServer, migrated_name: str) -> None:
    databases = [await asyncio.to_thread(postgres.database, migrated_name) for _ in STEPS]
    async for told in running(Receiver()):
        # A few at a time: each is two processes that start.
        room = asyncio.Semaphore(3)

        async def one(place: int, told: Receiver = told, room: asyncio.Semaphore = room) -> tuple[int, int, str]:
            async with room:
                return await outlived(databases[place].url, told, STEPS[place])

        found = dict(zip(STEPS, await asyncio.gather(*(one(place) for place in range(len(STEPS)))), strict=True))
    assert found == {step: (TOLD[step], ATTEMPTS[step], "delivered") for step in STEPS}
