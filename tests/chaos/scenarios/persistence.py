"""b.9: persistence dies around its commit, is slow, and hears late, twice, contradictory and unreadable reports."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from contracts.ids import new_id
from tests.chaos.load import Load
from tests.chaos.rig import Rig
from tests.chaos.scenarios import scenario
from tests.chaos.topics import REPORTS, Recorded, publish, recorded


async def _dies_at(rig: Rig, load: Load, point: str) -> None:
    load.work(6)
    for _ in range(2):
        await asyncio.sleep(1)
        await rig.fired(rig.arm("persistence", point))
        await rig.ready("persistence")
    await asyncio.sleep(1)


@scenario("b.9 kill -9 before commit")
async def killed_before_commit(rig: Rig, load: Load) -> None:
    """SIGKILL with a batch written and not committed."""
    await _dies_at(rig, load, "per.before_commit")


@scenario("b.9 kill -9 after commit, before ack", short=True)
async def killed_after_commit(rig: Rig, load: Load) -> None:
    """SIGKILL with a batch committed, its events not sent and its offsets not committed."""
    await _dies_at(rig, load, "per.after_commit")


@scenario("b.9 restart, rolling")
async def restarted(rig: Rig, load: Load) -> None:
    """SIGTERM again and again while hundreds of reports come."""
    load.work(12)
    for _ in range(3):
        await asyncio.sleep(1)
        await rig.restart("persistence")


@scenario("b.9 slow DB")
async def slow_database(rig: Rig, load: Load) -> None:
    """Half a second of latency between persistence and Postgres."""
    rig.between("persistence", "postgres").become(latency=0.5)
    load.work(5)
    await asyncio.sleep(8)
    rig.clear()


@scenario("b.9 partition (Kafka or DB)")
async def cut_off(rig: Rig, load: Load) -> None:
    """Persistence loses the broker, then the database, for eight seconds each."""
    load.work(4)
    for server in ("kafka", "postgres"):
        rig.between("persistence", server).become(hold_up=True, hold_down=True)
        await asyncio.sleep(8)
        rig.clear()
        await asyncio.sleep(1)


def report(topic: str, job_id: str, **fields: Any) -> Recorded:
    """A report of nobody's."""
    event = {"job_id": job_id, "kind": "image", "at": datetime.now(UTC).isoformat()} | fields
    return Recorded(topic, job_id.encode(), json.dumps(event).encode(), ())


@scenario("b.9 late progress, contradictory completions, 2099, poison", usual=True)
async def wrong_reports(rig: Rig, load: Load) -> None:
    """Ended jobs are reported on again: progress, another completion, a failure, from 2099; with poison between."""
    jobs = await load.ask_many(6, model="instant")
    await rig.product.until(
        "SELECT 1 WHERE 6 = (SELECT count(*) FROM sorami.jobs WHERE id = ANY($1) AND status = 'COMPLETED')", jobs
    )
    load.work(4)
    failure = {"code": "provider_error", "message": "too late", "retryable": False, "charged": "no"}
    wrong = []
    for job_id in jobs:
        done = (await recorded(rig, "job.completed", about=job_id))[0]
        other = json.loads(done.value or b"") | {"fence": 7, "at": "2099-01-01T00:00:00Z"}
        other["files"][0]["sha256"] = "0" * 64
        wrong += [
            report("job.progress", job_id, stage="initializing", progress=25, fence=9),
            Recorded("job.completed", job_id.encode(), json.dumps(other).encode(), ()),
            report("job.failed", job_id, failure=failure, fence=9),
            Recorded("job.progress", job_id.encode(), b"{", ()),
        ]
    load.random.shuffle(wrong)
    load.expected.dead_letters["decode_error"] += len(jobs)
    await publish(rig, wrong)
    nobody = new_id()
    await publish(rig, [report("job.failed", nobody, failure=failure)])
    load.expected.dead_letters["unknown_job"] += 1
    await asyncio.sleep(2)


@scenario("b.9 duplicate x100, reorder")
async def every_order(rig: Rig, load: Load) -> None:
    """The reports of jobs come in random orders and a hundred times, before the usual ones are heard."""
    rig.between("persistence", "kafka").become(hold_up=True, hold_down=True)
    await load.ask_many(20, model="instant")
    await asyncio.sleep(3)
    reports = await recorded(rig, *REPORTS, about=load.tag)
    many = reports * 100
    load.random.shuffle(many)
    await publish(rig, many)
    rig.clear()
    load.work(4)
    await asyncio.sleep(2)
