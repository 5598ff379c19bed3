"""The seeds' architecture as a side of a comparison: an API, a Flask backend, webhooks, and clients that poll."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.bench import wrk
from tests.support.ports import free_ports

Command = list[str | Path]

BIN = Path(sys.prefix) / "bench" / "bin"
SOURCES = Path(__file__).resolve().parents[2]


class Seeds:
    """The two processes of the seeds over a database of their own in the same Postgres."""

    def __init__(self, database: str, pool: Any, steps: int) -> None:
        self._database, self._pool, self._steps = database, pool, steps
        self._processes: list[subprocess.Popen[bytes]] = []
        self._ports = free_ports(2)

    @property
    def database_url(self) -> str:
        return self._database

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._ports[0]}"

    async def start(self) -> None:
        api, backend = self._ports
        env = {
            **os.environ,
            "DATABASE_URL": self._database,
            "BACKEND_URL": f"http://127.0.0.1:{backend}",
            "WEBHOOK_URL": f"http://127.0.0.1:{api}/api/webhooks/image-completion",
            "WEBHOOK_SECRET": "a-secret-for-measurements",
            "STEPS": str(self._steps),
        }
        modules = "tests.bench.baselines.seeds_"
        flask: Command = [
            BIN / "gunicorn",
            "-w1",
            "-kgthread",
            "--threads=16",
            f"-b127.0.0.1:{backend}",
            "--log-level=warning",
        ]
        uvicorn: Command = [BIN / "uvicorn", f"--port={api}", "--log-level=critical", "--no-access-log"]
        uvicorn += ["--loop=uvloop", "--http=httptools"]
        for command in ([*flask, f"{modules}backend:app"], [*uvicorn, f"{modules}api:app"]):
            self._processes.append(subprocess.Popen(command, env=env, cwd=SOURCES))
        await until_open(api, backend)

    def stop(self) -> None:
        """What it had accepted and not done is lost, as theirs was."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    async def again(self) -> None:
        """Begin anew, without what is left of the last round."""
        self.stop()
        await self._pool.execute("DELETE FROM image_generations WHERE status <> 'COMPLETED'")
        await self.start()

    async def post(self, seconds: float, *, connections: int = 64) -> wrk.Load:
        path, fields = "/api/images/generate", ', "user_id": "user-1"'
        salt = f"{time.time_ns():x}-"
        return await wrk.post(self.url, path, seconds=seconds, connections=connections, fields=fields, salt=salt)

    async def watch(self, count: int, *, every: float) -> list[float]:
        """Ask for jobs, ten a second, poll each as their page does, and return how long each took, in ms."""
        async with httpx.AsyncClient(base_url=self.url) as client:

            async def one() -> float:
                began = time.perf_counter()
                answer = await client.post("/api/images/generate", json={"prompt": "Un chat mignon"})
                job_id = answer.raise_for_status().json()["job_id"]
                while True:
                    await asyncio.sleep(every)
                    if (await client.get(f"/api/images/{job_id}/status")).json()["status"] == "COMPLETED":
                        return (time.perf_counter() - began) * 1000

            tasks = []
            for _ in range(count):
                tasks.append(asyncio.create_task(one()))
                await asyncio.sleep(0.1)
            return list(await asyncio.gather(*tasks))

    async def count(self) -> int:
        found: int = await self._pool.fetchval("SELECT count(*) FROM image_generations WHERE status = 'COMPLETED'")
        return found

    async def open_jobs(self) -> int:
        found: int = await self._pool.fetchval("SELECT count(*) FROM image_generations WHERE status <> 'COMPLETED'")
        return found


async def until_open(*ports: int, within: float = 30.0) -> None:
    """Return when something listens at every port."""
    async with asyncio.timeout(within):
        for port in ports:
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                except OSError:
                    await asyncio.sleep(0.05)


@asynccontextmanager
async def seeds(database_url: str, *, steps: int = 3) -> AsyncIterator[Seeds]:
    """Start the seeds in a database beside the product's, in the same server with the same durability."""
    name = f"seeds_{steps}"
    admin = await asyncpg.connect(database_url)
    await admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
    await admin.execute(f'CREATE DATABASE "{name}"')
    await admin.close()
    own = database_url.rpartition("/")[0] + f"/{name}"
    pool = await asyncpg.create_pool(own, min_size=1, max_size=2)
    made = Seeds(own, pool, steps)
    try:
        await made.start()
        yield made
    finally:
        made.stop()
        await pool.close()
