"""b.3: between outbox and topic."""

import asyncio
import os

from tests.chaos.load import Load
from tests.chaos.rig import Rig
from tests.chaos.scenarios import scenario

SENDERS = ("gateway", "generator", "persistence")


async def _dies_at(rig: Rig, load: Load, point: str) -> None:
    load.work(6)
    await asyncio.sleep(1)
    service = load.random.choice(SENDERS)
    await rig.fired(rig.arm(service, point))
    await rig.ready(service)
    await asyncio.sleep(1)


@scenario("b.3 kill -9 before publish")
async def killed_before_publish(rig: Rig, load: Load) -> None:
    """SIGKILL with committed rows in hand that nobody has sent."""
    await _dies_at(rig, load, "relay.before_publish")


@scenario("b.3 kill -9 between publish and delete", usual=True)
async def killed_after_publish(rig: Rig, load: Load) -> None:
    """SIGKILL after Kafka took the rows and before they are deleted: at most one more copy of the same event."""
    await _dies_at(rig, load, "relay.after_publish")
    await load.rest()


@scenario("b.3 restart")
async def stopped_with_a_backlog(rig: Rig, load: Load) -> None:
    """SIGTERM of the gateway with hundreds of rows that no broker takes."""
    rig.between("gateway", "kafka").become(refuses=True)
    await load.ask_many(200, model="instant")
    await rig.restart("gateway")
    rig.clear()


@scenario("b.3 slow Kafka")
async def slow_kafka(rig: Rig, load: Load) -> None:
    """A second of latency between every sender and the broker."""
    for service in SENDERS:
        rig.between(service, "kafka").become(latency=1.0)
    load.work(6)
    await asyncio.sleep(8)
    rig.clear()


@scenario("b.3 publish acknowledged but ack lost")
async def acks_are_lost(rig: Rig, load: Load) -> None:
    """The broker takes what it is sent, its answers never arrive, then the connection breaks."""
    service = load.random.choice(SENDERS)
    load.work(6)
    await asyncio.sleep(1)
    rig.between(service, "kafka").become(hold_down=True)
    await asyncio.sleep(11)
    rig.between(service, "kafka").reset()
    rig.clear()
    await load.rest()


@scenario("b.3 message too large", usual=True)
async def too_large(rig: Rig, load: Load) -> None:
    """A row of two megabytes in the outbox: it is put aside with its reason, and its neighbours go on."""
    load.work(4)
    huge = os.urandom(1024 * 1024).hex().encode()
    for topic in ("job.progress", "job.completed"):
        await rig.product.pool.execute(
            "INSERT INTO sorami.outbox_gateway (topic, key, value, headers) VALUES ($1, $2, $3, '{}')",
            topic,
            f"{load.tag}-huge",
            huge,
        )
        load.expected.dead_letters["event_too_large"] += 1
    # Nobody offered these rows: the sweeper takes them once they are older than any send.
    await asyncio.sleep(17)


@scenario("b.3 duplicate relay replicas")
async def two_relays(rig: Rig, load: Load) -> None:
    """Two gateways with a backlog each, and one of them dies with its own: whatever is sent twice is one job."""
    async with rig.second("gateway"):
        load.urls = (rig.product.url, rig.second_gateway_url)
        rig.between("gateway", "kafka").become(refuses=True)
        await load.ask_many(300, model="instant")
        await rig.kill("gateway")
        rig.clear()
        await asyncio.sleep(4)
        await rig.ready("gateway")
        load.urls = (rig.product.url,)
