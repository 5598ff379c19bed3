"""b.10: the notifier dies between sending and noting it, with streams open, and beside a second one."""

import asyncio

from tests.chaos.load import Load
from tests.chaos.rig import Rig
from tests.chaos.scenarios import NotHere, scenario
from tests.chaos.topics import publish, recorded


@scenario("b.10 kill -9 between POST and recording", short=True)
async def killed_after_post(rig: Rig, load: Load) -> None:
    """SIGKILL after a receiver answered and before that is noted: it is told again, with the same id and content."""
    load.work(5)
    await asyncio.sleep(1)
    await rig.fired(rig.arm("notifier", "wh.after_post"))
    await rig.ready("notifier")
    await asyncio.sleep(2)
    await load.rest()


@scenario("b.10 kill -9 with SSE clients", usual=True)
async def killed_with_watchers(rig: Rig, load: Load) -> None:
    """SIGKILL again and again while somebody watches all jobs: the stream misses and repeats nothing."""
    load.work(8)
    for _ in range(3):
        await asyncio.sleep(1)
        await rig.kill("notifier")
        await rig.ready("notifier")


@scenario("b.10 restart")
async def restarted(rig: Rig, load: Load) -> None:
    """SIGTERM while webhooks are being sent."""
    load.work(8)
    for _ in range(2):
        await asyncio.sleep(1)
        await rig.restart("notifier")


@scenario("b.10 duplicate event")
async def told_again(rig: Rig, load: Load) -> None:
    """Everything on job.updated comes again: no delivery is planned twice."""
    await load.ask_many(20, model="instant")
    await asyncio.sleep(3)
    await publish(rig, await recorded(rig, "job.updated", about=load.tag))
    await asyncio.sleep(3)
    calls = rig.receiver.at(load.path)
    assert len(calls) == len({call.id for call in calls}), "a delivery was sent again"


@scenario("b.10 rebalance; shared group_id trap")
async def two_of_them(rig: Rig, load: Load) -> None:
    """Two notifiers: each tells every stream everything, and together they send each webhook once."""
    load.work(6)
    async with rig.second("notifier"):
        await asyncio.sleep(4)
        await rig.kill("notifier")
        await rig.ready("notifier")
    await asyncio.sleep(1)


@scenario("b.10 clock skew")
async def wrong_clock(rig: Rig, load: Load) -> None:
    """A notifier six minutes fast: webhooks carry the database's time, which receivers' libraries take."""
    if not rig.can_skew:
        raise NotHere("libfaketime is not installed: apt-get install faketime")
    await rig.skew("notifier", "+6m")
    load.work(4)
    await asyncio.sleep(3)
    await load.rest()
    await rig.product.until(
        """SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.jobs WHERE owner_id = $1
                                      AND status IN ('PENDING', 'GENERATING'))""",
        load.user_id,
    )
    now = await rig.value("SELECT extract(epoch FROM now())")
    for call in rig.receiver.at(load.path):
        assert abs(int(call.headers["webhook-timestamp"]) - float(now)) < 60
    rig.clear()
    await rig.restart("notifier")


@scenario("b.10 partition from Postgres and Kafka")
async def cut_off(rig: Rig, load: Load) -> None:
    """The notifier reaches neither database nor broker for eight seconds."""
    load.work(5)
    await asyncio.sleep(1)
    for server in ("postgres", "kafka"):
        rig.between("notifier", server).become(hold_up=True, hold_down=True)
    await asyncio.sleep(8)
    rig.clear()
