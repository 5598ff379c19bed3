"""Task queues that people have, as sides of a comparison: how fast they take tasks, and how fast they do them."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.running import Values
from tests.bench.seeds import BIN, SOURCES, Command, until_open
from tests.support.ports import free_ports

BASELINES = "tests.bench.baselines"


class Queue:
    """A queue with its producer (a command that prints tasks a second) and its worker."""

    def __init__(self, module: str, worker: Sequence[str | Path], env: dict[str, str]) -> None:
        self._module, self._worker, self._env = module, worker, {**os.environ, **env}

    async def enqueue(self, count: int) -> float:
        """Put tasks and return how many a second."""
        return float(await self._call("enqueue", str(count)))

    async def waiting(self) -> int:
        return int(await self._call("waiting"))

    async def drain(self, count: int) -> float:
        """Start a worker and return tasks a second between the first tenth and the last."""
        command: Command = [BIN / "python", "-m", f"{BASELINES}.{self._module}", "watch", str(count)]
        watch = await asyncio.create_subprocess_exec(
            *command, env=self._env, cwd=SOURCES, stdout=asyncio.subprocess.PIPE
        )
        worker = subprocess.Popen(
            self._worker, env=self._env, cwd=SOURCES, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            said, _ = await asyncio.wait_for(watch.communicate(), 90)
        finally:
            worker.terminate()
            try:
                worker.wait(10)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        return float(said)

    async def measure(self, count: int) -> Values:
        put = await self.enqueue(count)
        return {"accepted": put, "completed": await self.drain(count)}

    async def _call(self, *arguments: str) -> str:
        command: Command = [BIN / "python", "-m", f"{BASELINES}.{self._module}", *arguments]
        process = await asyncio.create_subprocess_exec(
            *command, env=self._env, cwd=SOURCES, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"{self._module} {arguments[0]} ended with {process.returncode}")
        return said.decode().splitlines()[-1]


@asynccontextmanager
async def redis() -> AsyncIterator[str]:
    """Start a Redis without persistence, as these queues are usually run, and give its address."""
    port = free_ports(1)[0]
    with tempfile.TemporaryDirectory(prefix="sorami-redis-") as folder:
        command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder]
        server = subprocess.Popen([*command, "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL)
        try:
            await until_open(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait()


def celery(address: str) -> Queue:
    worker: Command = [BIN / "celery", "-A", f"{BASELINES}.on_celery", "worker", "-c2", "--loglevel=ERROR"]
    return Queue(
        "on_celery", [*worker, "--without-gossip", "--without-mingle", "--without-heartbeat"], {"REDIS": address}
    )


def taskiq(address: str) -> Queue:
    worker: Command = [
        BIN / "taskiq",
        "worker",
        f"{BASELINES}.on_taskiq:broker",
        "--workers",
        "1",
        "--log-level",
        "ERROR",
    ]
    return Queue("on_taskiq", worker, {"REDIS": address})


def procrastinate(database_url: str) -> Queue:
    worker: Command = [BIN / "python", "-m", f"{BASELINES}.on_procrastinate", "work"]
    return Queue("on_procrastinate", worker, {"DATABASE_URL": database_url})


def is_there(name: str) -> bool:
    """Tell whether a program of the machine is installed."""
    return any((Path(folder) / name).exists() for folder in os.environ.get("PATH", "").split(os.pathsep))
