"""b.5: the generator dies at every step, freezes past its lease, is cut off, and hears twice or in the wrong order."""

import asyncio
import json
import subprocess
from datetime import UTC, datetime

from tests.chaos.load import REMOTE, Load
from tests.chaos.rig import LEASE_SECONDS, Rig
from tests.chaos.scenarios import NotHere, Play, scenario
from tests.chaos.topics import Recorded, publish, recorded

POINTS = {
    "gen.after_accept": "before the offsets of accepted tasks are committed",
    "gen.after_claim": "after claim",
    "gen.before_submit": "before submit",
    "gen.after_submit": "after submit",
    "gen.after_operation_stored": "after operation id stored",
    "gen.while_downloading": "while downloading",
    "gen.after_put": "after S3 put",
    "gen.before_report": "before commit",
}
SUBMITTING = ("gen.before_submit", "gen.after_submit")
"""Where nobody can tell afterwards whether the provider executed the order (faults.md, I8)."""


def _killed_at(point: str) -> Play:
    async def play(rig: Rig, load: Load) -> None:
        if point in SUBMITTING:
            load.expected.failures = frozenset({"outcome_unknown"})
        load.work(5)
        await asyncio.sleep(0.5)
        armed = rig.arm("generator", point)
        asking = [asyncio.create_task(load.ask(model=REMOTE)) for _ in range(4)]
        await rig.fired(armed)
        await rig.ready("generator")
        await asyncio.gather(*asking)
        await asyncio.sleep(1)

    play.__doc__ = f"SIGKILL {POINTS[point]}, over remote and own work."
    play.__name__ = f"killed_{point.removeprefix('gen.')}"
    return play


for _point, _words in POINTS.items():
    scenario(f"b.5 kill -9 {_words}", short=_point == "gen.after_put", usual=_point == "gen.after_submit")(
        _killed_at(_point)
    )


@scenario("b.5 restart (SIGTERM)")
async def restarted(rig: Rig, load: Load) -> None:
    """SIGTERM in the middle of work, twice; the second generator goes on meanwhile."""
    load.work(5)
    async with rig.second("generator"):
        for _ in range(2):
            await asyncio.sleep(1.5)
            await rig.restart("generator")


@scenario("b.5 slow (SIGSTOP 60 s) = zombie", usual=True)
async def zombie(rig: Rig, load: Load) -> None:
    """SIGSTOP longer than the lease while another takes over, then SIGCONT: the stale worker is silent."""
    load.work(5)
    async with rig.second("generator"):
        for _ in range(2):
            await asyncio.sleep(1.5)
            rig.freeze("generator")
            await asyncio.sleep(LEASE_SECONDS * 2)
            rig.thaw("generator")
        await asyncio.sleep(1)


@scenario("b.5 zombie, frozen between claim and submit")
async def zombie_at_claim(rig: Rig, load: Load) -> None:
    """A worker freezes with claims in hand until others have done the work: it may not submit what is done."""
    async with rig.second("generator") as second:
        armed = rig.arm("generator", "gen.after_claim", "freeze")
        jobs = await load.ask_many(6, model=REMOTE)
        await rig.fired(armed)
        await rig.product.until(
            "SELECT 1 WHERE 6 = (SELECT count(*) FROM sorami.jobs WHERE id = ANY($1) AND completed_at IS NOT NULL)",
            jobs,
            within=40,
        )
        for name in ("generator", second):
            rig.thaw(name)
        await asyncio.sleep(3)


@scenario("b.5 partition from Postgres mid-render")
async def cut_from_database(rig: Rig, load: Load) -> None:
    """Nothing passes between generator and Postgres for twelve seconds, four leases long."""
    load.work(5)
    await asyncio.sleep(1)
    rig.between("generator", "postgres").become(hold_up=True, hold_down=True)
    await asyncio.sleep(12)
    rig.clear()


@scenario("b.5 partition from Kafka")
async def cut_from_kafka(rig: Rig, load: Load) -> None:
    """The generator reaches no broker for ten seconds."""
    load.work(5)
    await asyncio.sleep(1)
    rig.between("generator", "kafka").become(refuses=True)
    await asyncio.sleep(10)
    rig.clear()


@scenario("b.5 disk full in TMPDIR")
async def no_room_for_work(rig: Rig, load: Load) -> None:
    """The folder in which work is done is a full disk for a few seconds."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", rig.temporary], check=False)
    if mounted.returncode:
        raise NotHere("a tmpfs cannot be mounted here: it needs root")
    try:
        (rig.temporary / "ballast").write_bytes(bytes(60 * 1024))
        asking = [asyncio.create_task(load.ask(model="procedural-1", size="256x256")) for _ in range(2)]
        load.work(4)
        await asyncio.sleep(7)
        await asyncio.gather(*asking)
    finally:
        subprocess.run(["umount", "-l", rig.temporary], check=True)


@scenario("b.5 duplicate job.requested", usual=True)
async def asked_a_hundred_times(rig: Rig, load: Load) -> None:
    """A hundred copies of each request, while it is worked on and after it ended."""
    await load.ask_many(3, model=REMOTE)
    requests = await recorded(rig, "job.requested", about=load.tag)
    await publish(rig, requests * 100)
    load.work(4)
    await asyncio.sleep(3)
    await publish(rig, requests)


@scenario("b.5 reorder: cancelled before requested")
async def cancelled_before_requested(rig: Rig, load: Load) -> None:
    """A generator hears that nobody wants the job any more before it hears of the job."""
    rig.between("gateway", "kafka").become(refuses=True)
    jobs = [await load.ask("image", model="instant") for _ in range(3)]
    for job_id in jobs:
        event = {
            "job_id": job_id,
            "kind": "image",
            "at": datetime.now(UTC).isoformat(),
            "user_id": load.user_id,
            "requested_by": load.user_id,
        }
        load.asked[job_id].cancelled = True
        await publish(rig, [Recorded("job.cancel-requested", job_id.encode(), json.dumps(event).encode(), ())])
    await asyncio.sleep(2)
    rig.clear()


@scenario("b.5 clock skew")
async def wrong_clock(rig: Rig, load: Load) -> None:
    """A generator an hour fast, beside one that is right: leases and deadlines are the database's."""
    if not rig.can_skew:
        raise NotHere("libfaketime is not installed: apt-get install faketime")
    load.work(4)
    async with rig.second("generator"):
        # Signatures of S3 hold for a quarter of an hour: a worker further off than that cannot store.
        await rig.skew("generator", load.random.choice(("+10m", "-10m")))
        await asyncio.sleep(6)
    rig.clear()
    await rig.restart("generator")


@scenario("b.5 attempts exhausted")
async def always_fails(rig: Rig, load: Load) -> None:
    """Every attempt of a job fails unexpectedly: it ends after three of them instead of going round for ever."""
    load.expected.failures = frozenset({"attempts_exhausted"})
    armed = rig.arm("generator", "gen.after_put", "fail", times=3)
    await load.ask("image", model="instant")
    await rig.fired(armed, within=40)
