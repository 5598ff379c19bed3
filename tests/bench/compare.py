"""`python -m tests.bench.compare BASE [rounds]`: two commits, taking turns on one machine.

Both stacks are up at once. Processor a job is the figure that other work on the machine disturbs least.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from tests.bench import wrk
from tests.bench.loading import push
from tests.bench.machine import metered
from tests.bench.pacing import clients, percentile
from tests.bench.product import FIELDS
from tests.bench.report import Row, as_table
from tests.bench.running import Measured, Values, interleave
from tests.bench.seeds import SOURCES

SECONDS = 4.0


class Commit:
    """The product of one commit."""

    def __init__(self, told: dict[str, Any], pool: Any) -> None:
        self.url, self.tokens, self.pid = told["url"], told["tokens"], told["pid"]
        self._pool = pool

    async def post(self, seconds: float) -> wrk.Load:
        path, salt = "/api/images/generate", f"{time.time_ns():x}-"
        return await wrk.post(self.url, path, seconds=seconds, tokens=self.tokens, fields=FIELDS, salt=salt, keyed=True)

    async def count(self) -> int:
        found: int = await self._pool.fetchval("SELECT count(*) FROM sorami.jobs WHERE status = 'COMPLETED'")
        return found

    async def open_jobs(self) -> int:
        question = "SELECT count(*) FROM sorami.jobs WHERE status IN ('PENDING', 'GENERATING')"
        found: int = await self._pool.fetchval(question)
        return found

    async def measure(self) -> Values:
        before = await self.count()
        with metered(root=self.pid) as usage:
            found = await push(self, SECONDS, patience=90)
        jobs = await self.count() - before
        values = {"accepted": found["accepted"], "completed": found["completed"]}
        values["cpu_ms"] = usage.ours * usage.seconds / jobs * 1000
        async with clients(self.url, self.tokens[:20]) as people:
            for name, rate in (("slow", 10.0), ("fast", 200.0)):
                paced = await people.ask(rate, int(rate * 3))
                values[f"{name}_202_p50"] = percentile(paced.waits(paced.answered), 0.5)
                values[f"{name}_end_p50"] = percentile(paced.waits(paced.ended), 0.5)
        return values


@asynccontextmanager
async def serving(source: Path) -> AsyncIterator[Commit]:
    """Start the product whose code is in a folder."""
    env = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": ""}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.serve",
        cwd=source,
        env=env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process has no pipes")
    try:
        told = json.loads(await asyncio.wait_for(process.stdout.readline(), 120))
        if Path(told["source"]) != source:
            raise RuntimeError(f"{source} was asked for, and {told['source']} is running")
        async with asyncpg.create_pool(told["database_url"], min_size=1, max_size=2) as pool:
            yield Commit(told, pool)
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def checked_out(commit: str) -> AsyncIterator[Path]:
    """Give the files of a commit, with the bench of this one."""
    with tempfile.TemporaryDirectory(prefix="sorami-base-") as folder:
        source = Path(folder).resolve() / "source"
        source.mkdir()
        archive = subprocess.run(["git", "archive", commit], cwd=SOURCES, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", source], input=archive, check=True)
        shutil.rmtree(source / "tests/bench", ignore_errors=True)
        shutil.copytree(SOURCES / "tests/bench", source / "tests/bench")
        yield source


def rows(measured: Measured) -> list[Row]:
    found = []
    for name in (one.removeprefix("now.") for one in measured.rounds[0].values if one.startswith("now.")):
        unit = "/s" if name in ("accepted", "completed") else "ms"
        for side in ("base", "now"):
            row = Row("compare", f"{side}: {name}", unit, measured.of(f"{side}.{name}"), foreign=measured.foreign)
            found.append(row)
        ratio = measured.ratio(f"now.{name}", f"base.{name}")
        found.append(Row("compare", f"now / base: {name}", "x", ratio, foreign=measured.foreign))
    return found


async def main(base: str, rounds: int) -> None:
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(checked_out(base))
        sides = {
            "base": await stack.enter_async_context(serving(source)),
            "now": await stack.enter_async_context(serving(SOURCES)),
        }
        measured = await interleave({name: side.measure for name, side in sides.items()}, rounds=rounds)
    print(as_table(rows(measured)))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5))
