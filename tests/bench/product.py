"""The product under load: its own local stack, whole, and what is asked of it and read of its rows."""

import asyncio
import contextlib
import io
import os
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg

from sorami.local.services import SERVICES
from sorami.local.stack import Stack
from sorami.seed_data import Wish, seed
from tests.bench import wrk
from tests.bench.machine import Process

USERS = 200
FIELDS = ', "model": "instant"'


class Product:
    """A running stack with users of its own."""

    def __init__(self, stack: Stack, pool: Any) -> None:
        self.stack, self.pool = stack, pool
        self.tokens = [stack.token(f"user_bench_{number}") for number in range(USERS)]
        self._rounds = 0

    @property
    def url(self) -> str:
        return self.stack.env["SORAMI_URL"]

    @property
    def path(self) -> str:
        return "/api/images/generate"

    async def post(self, seconds: float, *, connections: int = 64, keyed: bool = True) -> wrk.Load:
        """Ask as fast as it answers, each request with an idempotency key of its own."""
        self._rounds += 1
        salt = f"{time.time_ns():x}-"
        return await wrk.post(
            self.url,
            self.path,
            seconds=seconds,
            connections=connections,
            tokens=self.tokens,
            fields=FIELDS,
            salt=salt,
            keyed=keyed,
        )

    async def count(self, status: str = "COMPLETED") -> int:
        found: int = await self.pool.fetchval("SELECT count(*) FROM sorami.jobs WHERE status = $1", status)
        return found

    async def open_jobs(self) -> int:
        found: int = await self.pool.fetchval(
            "SELECT count(*) FROM sorami.jobs WHERE status IN ('PENDING', 'GENERATING')"
        )
        return found

    async def greet(self) -> None:
        """Let every user be known, and everything that is made at first use be made."""
        await self.post(1, connections=8)
        await self.quiet()

    async def fill(self, jobs: int) -> None:
        """Fill the database with made-up jobs that have ended."""
        with contextlib.redirect_stdout(io.StringIO()):
            await seed(self.stack.env["DATABASE_URL"], Wish(jobs, USERS, None, 0))

    async def quiet(self, within: float = 300.0) -> None:
        """Return when no job is open and no outbox has a row."""
        async with asyncio.timeout(within):
            while await self.open_jobs() or await self.pool.fetchval(
                "SELECT EXISTS (SELECT FROM sorami.outbox_gateway) OR EXISTS (SELECT FROM sorami.outbox_generator)"
                " OR EXISTS (SELECT FROM sorami.outbox_persistence)"
            ):
                await asyncio.sleep(0.1)

    def name_of(self, process: Process) -> str:
        """Say which part of the stack a process is."""
        for name in self.stack.names:
            if process.pid == self.stack.pid(name):
                return name
        command = process.command
        known = {"postgres": "postgres", "kafka": "kafka", "weed": "s3", "wrk": "client"}
        return next((part for word, part in known.items() if word in command), "bench")


@contextlib.asynccontextmanager
async def product(
    *, entries: Mapping[str, str] | None = None, settings: Mapping[str, str] | None = None, jobs: int = 0
) -> AsyncIterator[Product]:
    """Start the whole stack in a folder of its own, with so many jobs in its database.

    `entries` replace those of services, by name.
    """
    services = [replace(one, entry=(entries or {}).get(one.name, one.entry)) for one in SERVICES]
    with tempfile.TemporaryDirectory(prefix="sorami-bench-", dir=os.environ.get("BENCH_TMP")) as folder:
        Path(folder).chmod(0o711)
        given = {"SORAMI_LOG_LEVEL": "warning", **(settings or {})}
        async with Stack(Path(folder) / "home", services=services, settings=given, discard=True) as stack:
            pool = await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=1, max_size=4)
            try:
                made = Product(stack, pool)
                if jobs:
                    await made.fill(jobs)
                await made.greet()
                yield made
            finally:
                await pool.close()
