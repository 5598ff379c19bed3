"""b.4: the broker dies, is cut off, repeats, forgets and is put back to an older copy."""

import asyncio
import shutil

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import PARTITIONS
from tests.chaos.disks import MEGABYTE, full_for_a_while, on_a_disk_of_its_own
from tests.chaos.load import Load
from tests.chaos.rig import LINKS, Rig
from tests.chaos.scenarios import scenario
from tests.chaos.topics import REPORTS, Recorded, publish, recorded


@scenario("b.4 kill -9 / restart", short=True)
async def killed(rig: Rig, load: Load) -> None:
    """SIGKILL of the broker under load."""
    load.work(6)
    await asyncio.sleep(1)
    await rig.kill("kafka")
    await rig.ready()
    await asyncio.sleep(1)


@scenario("b.4 kill -9 / restart (away for 20 s)")
async def away(rig: Rig, load: Load) -> None:
    """The broker is stopped for twenty seconds: requests are accepted, streams and rows wait."""
    load.work(4)
    await asyncio.sleep(1)
    await rig.stack.astop("kafka")
    await asyncio.sleep(20)
    await rig.stack.astart("kafka")
    assert not load.refusals, [answer.text for answer in load.refusals]


async def _one_way(rig: Rig, load: Load, **weather: bool) -> None:
    load.work(4)
    await asyncio.sleep(1)
    for service in LINKS:
        rig.between(service, "kafka").become(**weather)
    await asyncio.sleep(12)
    rig.clear()
    await asyncio.sleep(1)


@scenario("b.4 partition one-way (up)")
async def deaf(rig: Rig, load: Load) -> None:
    """What services send to the broker does not arrive for twelve seconds."""
    await _one_way(rig, load, hold_up=True)


@scenario("b.4 partition one-way (down)")
async def mute(rig: Rig, load: Load) -> None:
    """What the broker answers does not arrive for twelve seconds."""
    await _one_way(rig, load, hold_down=True)


@scenario("b.4 duplicate / reorder", usual=True)
async def replayed_and_shuffled(rig: Rig, load: Load) -> None:
    """Every report of this load comes twice more, shuffled, while the load goes on."""
    load.work(6)
    await asyncio.sleep(4)
    reports = await recorded(rig, *REPORTS, about=load.tag)
    assert reports
    again = [*reports, *reports]
    load.random.shuffle(again)
    await publish(rig, again)
    await asyncio.sleep(1)


@scenario("b.4 offsets lost / retention passed")
async def offsets_lost(rig: Rig, load: Load) -> None:
    """Persistence's offsets are gone: it reads everything again, poison too, and nobody is told twice."""
    await load.ask_many(40)
    await publish(rig, [Recorded("job.progress", load.tag.encode(), b"{", ())])
    load.expected.dead_letters["decode_error"] += 1
    await asyncio.sleep(3)
    before = await rig.value("SELECT count(*) FROM sorami.job_events WHERE user_id = $1", load.user_id)
    await rig.stack.astop("persistence")
    await _read_again(rig, "sorami.persistence")
    await rig.stack.astart("persistence")
    await asyncio.sleep(3)
    after = await rig.value("SELECT count(*) FROM sorami.job_events WHERE user_id = $1", load.user_id)
    assert after >= before
    load.work(4)
    await asyncio.sleep(2)


async def _read_again(rig: Rig, group: str) -> None:
    """Put a group without members back to the beginning of its topics."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=rig.stack.env["KAFKA_BOOTSTRAP_SERVERS"], group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        places = [TopicPartition(topic, n) for topic in REPORTS for n in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.commit(await consumer.beginning_offsets(places))
    finally:
        await consumer.stop()


@scenario("b.4 rebalance storm")
async def rebalance_storm(rig: Rig, load: Load) -> None:
    """A second member of each group comes and goes for half a minute."""
    load.work(4)
    for _ in range(3):
        for service in ("persistence", "generator", "notifier"):
            async with rig.second(service) as name:
                await asyncio.sleep(1.5)
                if load.random.random() < 0.5:
                    await rig.kill(name)
                    await rig.ready(name)


@scenario("b.4 memory loss (all topics gone)", usual=True)
async def forgets_everything(rig: Rig, load: Load) -> None:
    """The broker comes back empty in the middle of jobs of every state."""
    load.work(5)
    await asyncio.sleep(3)
    await rig.stack.astop("kafka")
    await asyncio.sleep(1)
    await asyncio.to_thread(shutil.rmtree, rig.stack.home.kafka / "data")
    await rig.stack.astart("kafka")
    await rig.ready()
    await asyncio.sleep(1)


@scenario("b.4 memory loss (an older copy)")
async def put_back_to_an_older_copy(rig: Rig, load: Load) -> None:
    """The broker's folder is put back to a copy from before most of the load."""
    load.work(5)
    await asyncio.sleep(2)
    data, copy = rig.stack.home.kafka / "data", rig.home / "older-kafka"
    await rig.stack.astop("kafka")
    await asyncio.to_thread(shutil.copytree, data, copy)
    await rig.stack.astart("kafka")
    await asyncio.sleep(5)
    await rig.stack.astop("kafka")
    await asyncio.to_thread(shutil.rmtree, data)
    await asyncio.to_thread(copy.rename, data)
    await rig.stack.astart("kafka")
    await asyncio.sleep(2)


@scenario("b.4 a topic deleted by mistake")
async def topic_deleted(rig: Rig, load: Load) -> None:
    """Somebody deletes job.requested and job.completed, and makes them again a few seconds later."""
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    load.work(5)
    await asyncio.sleep(2)
    names = ["job.requested", "job.completed"]
    admin = AIOKafkaAdminClient(bootstrap_servers=rig.stack.env["KAFKA_BOOTSTRAP_SERVERS"])
    await admin.start()
    try:
        await admin.delete_topics(names)
        await asyncio.sleep(5)
        await admin.create_topics([NewTopic(name, num_partitions=12, replication_factor=1) for name in names])
    finally:
        await admin.close()
    await asyncio.sleep(3)


@scenario("b.3, b.4 disk full; a full log")
async def disk_full(rig: Rig, load: Load) -> None:
    """The broker's disk has no byte left for eight seconds, which ends it: it comes back when there is room."""
    folder = rig.stack.home.kafka / "data"
    async with on_a_disk_of_its_own(rig, "kafka", folder, spare=64 * MEGABYTE):
        await full_for_a_while(load, folder)
        await rig.ready()
        await asyncio.sleep(1)
        await load.rest()
    assert not load.refusals, [answer.text for answer in load.refusals]
