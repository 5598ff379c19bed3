"""More gateways over the product's database, as a load balancer would have them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

from tests.support.ports import free_ports
from tests.support.product import Product


@asynccontextmanager
async def more_gateways(product: Product, count: int, **settings: str) -> AsyncIterator[list[str]]:
    """Run gateways of their own processes with these settings and yield their addresses."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(_gateway(product, settings)) for _ in range(count)]


@asynccontextmanager
async def _gateway(product: Product, settings: dict[str, str]) -> AsyncIterator[str]:
    port, inside = free_ports(2)
    own = {"SORAMI_PORT": str(port), "SORAMI_GATEWAY_INTERNAL_PORT": str(inside)}
    environment = {**os.environ, **product.stack.env, **settings, **own}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.gateway", env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await _until_ready(url)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _until_ready(url: str) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=url) as client:
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.05)
