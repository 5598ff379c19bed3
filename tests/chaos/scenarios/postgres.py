"""b.8: the database stops at once, hangs, is locked, full of connections, and read-only."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack

import asyncpg

from sorami.local import unprivileged
from sorami.local.postgres import programs
from tests.chaos.disks import MEGABYTE, full_for_a_while, on_a_disk_of_its_own
from tests.chaos.load import Load
from tests.chaos.rig import LINKS, Rig
from tests.chaos.scenarios import scenario
from tests.chaos.scenarios.generator import UNKNOWN
from tests.chaos.standby import Standby


@scenario("b.8 stop -m immediate mid-transaction", short=True)
async def immediate_stop(rig: Rig, load: Load) -> None:
    """SIGQUIT to the postmaster under load, twice: no half job, and services go on within seconds."""
    load.expected.failures = UNKNOWN
    load.work(6)
    for _ in range(2):
        await asyncio.sleep(1.5)
        before = rig.stack.pid("postgres")
        await rig.stack.akill("postgres", signal.SIGQUIT)
        async with asyncio.timeout(60):
            while rig.stack.phase("postgres") != "ready" or rig.stack.pid("postgres") == before:
                await asyncio.sleep(0.05)
    await asyncio.sleep(1)


@scenario("b.8 kill -9 of a backend")
async def backend_killed(rig: Rig, load: Load) -> None:
    """SIGKILL of one backend: the whole server starts again, all connections break."""
    load.expected.failures = UNKNOWN
    load.work(6)
    await asyncio.sleep(1.5)
    pid = await rig.value("SELECT pid FROM pg_stat_activity WHERE application_name = 'sorami-persistence' LIMIT 1")
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(4)


@scenario("b.8 restart / failover (address now read-only)")
async def read_only(rig: Rig, load: Load) -> None:
    """The server takes no writes for six seconds, as one that was a replica a moment ago."""
    load.expected.failures = UNKNOWN
    load.work(5)
    await asyncio.sleep(1)
    async with _steered(rig) as steer:
        await steer.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        await steer.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(6)
        await steer.execute("SET default_transaction_read_only = off")
        await steer.execute("ALTER SYSTEM RESET default_transaction_read_only")
        await steer.execute("SELECT pg_reload_conf()")


@scenario("b.8 slow / lock", usual=True)
async def table_locked(rig: Rig, load: Load) -> None:
    """Somebody holds an exclusive lock on the table of jobs for eight seconds."""
    load.expected.failures = UNKNOWN
    load.work(5)
    await asyncio.sleep(1)
    async with _steered(rig) as steer, steer.transaction():
        await steer.execute("LOCK TABLE sorami.jobs IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(8)


@scenario("b.8 SIGSTOP backend/postmaster", usual=True)
async def frozen(rig: Rig, load: Load) -> None:
    """The server and all its backends are frozen for eight seconds: answers are 503, and nothing hangs for ever."""
    load.expected.failures = UNKNOWN
    load.work(4)
    await asyncio.sleep(1)
    rig.freeze("postgres")
    await asyncio.sleep(8)
    rig.thaw("postgres")
    await asyncio.sleep(1)
    assert not load.answers["hung"], load.answers


@scenario("b.8 connection storm")
async def no_connection_left(rig: Rig, load: Load) -> None:
    """Somebody takes every connection the server has, for six seconds, after ours were broken."""
    load.expected.failures = UNKNOWN
    load.work(4)
    await asyncio.sleep(1)
    async with AsyncExitStack() as stack:
        for service in LINKS:
            rig.between(service, "postgres").reset()
        for _ in range(130):
            try:
                connection = await asyncpg.connect(rig.stack.env["DATABASE_URL"])
            except asyncpg.TooManyConnectionsError:
                break
            stack.push_async_callback(connection.close)
        await asyncio.sleep(6)


@scenario("b.8 partition (every service)")
async def cut_off(rig: Rig, load: Load) -> None:
    """No service reaches the database for eight seconds."""
    load.expected.failures = UNKNOWN
    load.work(4)
    await asyncio.sleep(1)
    for service in LINKS:
        rig.between(service, "postgres").become(refuses=True)
    await asyncio.sleep(8)
    rig.clear()


@scenario("b.8 fail-over to a synchronous replica")
async def fails_over(rig: Rig, load: Load) -> None:
    """The server freezes for good, the replica that has every commit takes over, and later the work moves back."""
    load.expected.failures = UNKNOWN
    standby = Standby(rig)
    try:
        load.work(5)
        await standby.start()
        await asyncio.sleep(2)
        rig.freeze("postgres")
        await standby.take_over()
        # What was the server thaws, can commit nothing any more, and dies; who spoke with it speaks with the other.
        rig.thaw("postgres")
        await rig.kill("postgres")
        accepted = load.answers["202"]
        async with asyncio.timeout(60):
            while load.answers["202"] < accepted + 20:
                await asyncio.sleep(0.1)
        await standby.come_home()
    finally:
        await standby.stop()
    await asyncio.sleep(1)


@scenario("b.2, b.8, b.9 disk full")
async def disk_full(rig: Rig, load: Load) -> None:
    """The database's disk has no byte left for eight seconds: requests get 503, and all goes on when there is room."""
    load.expected.failures = UNKNOWN
    folder = unprivileged.choose(rig.stack.home, programs()).data
    async with on_a_disk_of_its_own(rig, "postgres", folder, spare=64 * MEGABYTE):
        await rig.ready()
        await full_for_a_while(load, folder)
        assert load.answers["503"], load.answers
        await rig.ready()
        await load.rest()


def _steered(rig: Rig) -> "asyncpg.pool.PoolAcquireContext[asyncpg.Record]":
    return rig.product.pool.acquire()
