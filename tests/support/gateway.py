"""A gateway that runs on a real port over a migrated database, under its own role, as `__main__` wires it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import httpx
import pytest
from pydantic import SecretStr

from services.gateway.__main__ import build_parts
from services.gateway.app import build_app
from services.gateway.parts import Parts
from services.gateway.settings import GatewaySettings
from services.runtime.database import open_pool
from services.runtime.http_server import HttpServer
from tests.support.identity_provider import APPLICATION, IdentityProvider
from tests.support.ports import free_port
from tests.support.postgres import Database, PostgresServer
from tests.support.wired import Hands


class RunningGateway:
    """Its address and its rows; records it offers to Kafka stay in its hands."""

    def __init__(self, url: str, parts: Parts, database: Database, provider: IdentityProvider) -> None:
        self.url = url
        self.parts = parts
        self.database = database
        self.provider = provider

    def browser(self, **options: Any) -> httpx.AsyncClient:
        """Return a client that keeps cookies."""
        return httpx.AsyncClient(base_url=self.url, timeout=20, **options)

    async def get(self, path: str, token: str | None = None, **headers: str) -> httpx.Response:
        return await self.ask("GET", path, token, headers=headers)

    async def ask(self, method: str, path: str, token: str | None = None, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", {})) | ({"Authorization": f"Bearer {token}"} if token else {})
        async with self.browser() as client:
            return await client.request(method, path, headers=headers, **options)

    async def row(self, statement: str, *values: Any) -> Any:
        """Return a row, read past the gateway's role."""
        found = await asyncio.to_thread(self.database.rows, statement, *values)
        return found[0] if found else None

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        return await asyncio.to_thread(self.database.rows, statement, *values)


@asynccontextmanager
async def running_gateway(
    database: Database, provider: IdentityProvider, **settings: Any
) -> AsyncIterator[RunningGateway]:
    """Run a gateway whose tokens are the provider's; `settings` are further fields of its settings."""
    port = free_port()
    url = settings.get("public_url", f"http://127.0.0.1:{port}")
    given: dict[str, Any] = {
        "database_url": SecretStr(database.url),
        "port": port,
        "public_url": url,
        "jwt_issuer": provider.issuer,
        "jwks_url": provider.jwks_url,
        "jwt_azp": [APPLICATION],
        "webhook_secret": SecretStr("a-secret"),
    }
    made = GatewaySettings(**(given | settings))
    async with AsyncExitStack() as stack:
        pool = await open_pool(database.url, role="sorami_gateway", application="test", size=4)
        stack.push_async_callback(pool.close)
        parts = await build_parts(made, pool, cast(Any, Hands()), stack)
        server = HttpServer(build_app(parts), "127.0.0.1", port, port_setting="SORAMI_PORT")
        serving = asyncio.create_task(server.run())
        try:
            yield RunningGateway(f"http://127.0.0.1:{port}", parts, database, provider)
        finally:
            await server.stop()
            await serving
            await parts.request_generation.close()


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[IdentityProvider]:
    """The identity provider of a module's tests."""
    provider = IdentityProvider()
    await provider.start()
    yield provider
    await provider.stop()


@pytest.fixture(scope="module")
async def gateway(
    postgres: PostgresServer, migrated_name: str, provider: IdentityProvider
) -> AsyncIterator[RunningGateway]:
    """A gateway over a database of the module's own, which believes the provider's tokens for one application."""
    with postgres.lent(migrated_name) as database:
        async with running_gateway(database, provider) as gateway:
            yield gateway
