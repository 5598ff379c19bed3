"""Sorami's relay in a process of its own until its outbox is empty; prints rows a second."""

import asyncio
import time

import uvloop

from services.gateway.settings import GatewaySettings
from services.runtime.database import service_pool
from services.runtime.logs import configure_logs
from services.runtime.relay import SWEEP_EVERY, Relay, build_producer
from services.runtime.settings import load_settings


async def main() -> None:
    configure_logs("gateway", level="error", pretty=False)
    settings = load_settings(GatewaySettings, "gateway")
    async with service_pool(settings, "gateway") as pool:
        relay = Relay(pool, build_producer(settings, "gateway"), service="gateway")
        count = await pool.fetchval("SELECT count(*) FROM sorami.outbox_gateway")
        running = asyncio.create_task(relay.run())
        began = time.perf_counter()
        while await pool.fetchval("SELECT EXISTS (SELECT FROM sorami.outbox_gateway)"):
            await asyncio.sleep(0.01)
        took = time.perf_counter() - began
        running.cancel()
        await asyncio.wait({running})
        await relay.close()
        # The sweeper looks once a second: its first pause is not part of what a row costs.
        print(count / (took - SWEEP_EVERY))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
