"""b.4 on three nodes (replication 3, two in sync): killed in turn, two at once, and a rolling restart."""

import asyncio
import signal

from tests.chaos.load import Load
from tests.chaos.nodes import COUNT
from tests.chaos.rig import Rig
from tests.chaos.scenarios import scenario


@scenario("b.4 three nodes: leader and controller killed", nodes=COUNT)
async def each_killed(rig: Rig, load: Load) -> None:
    """SIGKILL of each node in turn, so of every leader and of the controller; the next when it is back."""
    load.work(4)
    for node in rig.nodes.ports:
        await asyncio.sleep(3)
        await rig.nodes.end(node)
        await asyncio.sleep(5)
        await rig.nodes.start(node)
    await asyncio.sleep(2)


@scenario("b.4 three nodes: two killed at once", nodes=COUNT)
async def two_killed(rig: Rig, load: Load) -> None:
    """SIGKILL of two of three: no write is taken, every request is accepted all the same."""
    load.work(4)
    await asyncio.sleep(2)
    lost = load.random.sample(sorted(rig.nodes.ports), 2)
    for node in lost:
        await rig.nodes.end(node)
    await asyncio.sleep(8)
    assert not [status for status in load.answers if status.startswith("5")], load.answers
    for node in lost:
        await rig.nodes.start(node)
    await asyncio.sleep(2)


@scenario("b.4 three nodes: rolling restart", nodes=COUNT)
async def rolling_restart(rig: Rig, load: Load) -> None:
    """SIGTERM of each node in turn under load."""
    load.work(4)
    for node in rig.nodes.ports:
        await asyncio.sleep(2)
        await rig.nodes.end(node, signal.SIGTERM)
        await rig.nodes.start(node)
    await asyncio.sleep(2)
