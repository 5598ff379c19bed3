"""Postgres: one pool a process under the service's own role, with time-outs, and one judgement of errors."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

from services.runtime.database_url import parse_database_url
from services.runtime.metrics import DATABASE_CONNECTIONS
from services.runtime.process import until_available
from services.runtime.schema_version import SchemaMismatch, check_schema
from services.runtime.settings import EXIT_WRONG_SETTING, RuntimeSettings, address_setting

if TYPE_CHECKING:
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

CONNECTION_SECONDS = 5.0
"""For a connection to become free, and for one whose statement was called off to be of use again."""
CLOSE_SECONDS = 5.0
"""For what still runs on the connections when a process ends."""
# SQLSTATE classes of a database that is away or busy: connection, resources, operator intervention, system,
# read-only after a fail-over, serialization, deadlock, lock not available.
_TRANSIENT_CLASSES = ("08", "53", "57", "58")
_TRANSIENT_CODES = frozenset({"25006", "40001", "40P01", "55P03"})
# Password, user, database or role: nothing that waiting would mend.
_NOT_LET_IN = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)


class _Pool(asyncpg.Pool):
    """Nobody waits longer for a connection, nor for a dead one to be put back, than a client waits for an answer."""

    def acquire(self, *, timeout: float | None = None) -> Any:
        """Lend a connection; raises TimeoutError when none is free in time."""
        return super().acquire(timeout=timeout or CONNECTION_SECONDS)


class _Connection(asyncpg.Connection):
    def get_reset_query(self) -> str:
        """Skip the reset: no statement of ours leaves anything behind in a session, and it costs a round trip."""
        return ""


def measure_pool(pool: Pool) -> None:
    """Bring the gauges of the pool up to date."""
    DATABASE_CONNECTIONS.labels("idle").set(pool.get_idle_size())
    DATABASE_CONNECTIONS.labels("busy").set(pool.get_size() - pool.get_idle_size())
    DATABASE_CONNECTIONS.labels("most").set(pool.get_max_size())


def is_transient(error: BaseException) -> bool:
    """Tell whether trying again later can help: the database is away, not the data wrong."""
    if isinstance(error, asyncpg.PostgresError):
        state = getattr(error, "sqlstate", None) or ""
        return state in _TRANSIENT_CODES or state[:2] in _TRANSIENT_CLASSES
    # An idle connection that was told goodbye and has not seen its end yet is asyncpg's InternalClientError.
    away = (OSError, TimeoutError, asyncio.TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    return isinstance(error, away)


async def open_pool(
    url: str,
    *,
    role: str | None,
    application: str,
    size: int,
    statement_timeout_ms: int = 10_000,
) -> Pool:
    """Open a pool whose sessions take the role and keep UTC; raises what asyncpg raises when the database is away."""
    address = parse_database_url(url)
    settings = address.server_settings | {
        "application_name": application,
        "timezone": "UTC",
        "statement_timeout": str(statement_timeout_ms),
        "lock_timeout": "5000",
        "idle_in_transaction_session_timeout": "30000",
    }

    async def take_role(connection: Any) -> None:
        if role is not None:
            await connection.execute(f'SET ROLE "{role}"')

    return await _Pool(
        address.dsn,
        min_size=1,
        max_size=size,
        max_queries=50_000,
        init=take_role,
        loop=None,
        record_class=asyncpg.Record,
        connection_class=_Connection,
        command_timeout=statement_timeout_ms / 1000 + 5,
        timeout=5,
        # A pooler in transaction mode gives each transaction another session, where a prepared statement is unknown.
        statement_cache_size=0 if address.through_pooler else 100,
        max_inactive_connection_lifetime=0,
        server_settings=settings,
    )


@asynccontextmanager
async def service_pool(settings: RuntimeSettings, service: str) -> AsyncIterator[Pool]:
    """Lend the pool of a service, its schema checked; waits a minute for the database, then exits with 75.

    A login that the server refuses is one line and exit code 78.
    """
    pool = await _until_open(settings, service)
    try:
        async with pool.acquire() as connection:
            await check_schema(connection)
        yield pool
    except SchemaMismatch as error:
        print(f"{service}: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    finally:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await pool.close()
        except TimeoutError:
            # A line that answers nothing would keep the process for ever.
            pool.terminate()


async def _until_open(settings: RuntimeSettings, service: str) -> Pool:
    opened: list[Pool] = []

    async def attempt() -> None:
        pool = await open_pool(
            settings.database_url.get_secret_value(),
            role=f"sorami_{service}" if settings.takes_role else None,
            application=f"sorami-{service}",
            size=settings.database_pool,
        )
        opened.append(pool)

    try:
        await until_available("the database", attempt)
    except _NOT_LET_IN as error:
        print(f"config error: {address_setting(service)}: {error}", file=sys.stderr)
        raise SystemExit(EXIT_WRONG_SETTING) from None
    return opened[0]


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """Open one transaction; the only place that begins and commits one, beside `own_rows` for what only reads."""
    async with pool.acquire() as connection, connection.transaction():
        yield connection
