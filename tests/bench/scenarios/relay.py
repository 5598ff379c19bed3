"""Rows a second from a full outbox to Kafka, in order, against faststream-outbox at its default and its best."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer

from contracts.topics import JOB_REQUESTED
from sorami.local.stack import Stack
from tests.bench.plan import Plan
from tests.bench.report import Row
from tests.bench.running import Spread, Values, interleave
from tests.bench.seeds import BIN, SOURCES

ROWS = 20_000
KEYS = 2_000
DEFAULT_ROWS, BEST_ROWS = 600, 5_000
BEST = ("16", "500", "100")
FILL = """
    INSERT INTO sorami.outbox_gateway (topic, key, value, headers, created_at)
    SELECT $1, 'key' || n % $2, convert_to(n || repeat(' Un chat mignon', 45), 'UTF8'),
           '{"ce_id": "c0", "ce_type": "io.sorami.job.requested.v1", "ce_source": "/sorami/gateway"}',
           now() - interval '1 minute'
    FROM generate_series(1, $3::int) AS n
"""


async def _run(*command: str | Path, env: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **env}, cwd=SOURCES, stdout=subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    if process.returncode:
        raise RuntimeError(f"{command[2]} ended with {process.returncode}")
    return said.decode()


class Relays:
    """Both relays over one Postgres and one Kafka."""

    def __init__(self, env: dict[str, str], pool: Any) -> None:
        self._env, self._pool = env, pool

    async def ours(self, rows: int = ROWS) -> Values:
        await self._pool.execute(FILL, JOB_REQUESTED.name, KEYS, rows)
        return {"rows": float(await _run(sys.executable, "-m", "tests.bench.relay_process", env=self._env))}

    async def theirs(self, rows: int, *tuning: str) -> Values:
        module = (BIN / "python", "-m", "tests.bench.baselines.on_outbox")
        await _run(*module, "fill", str(rows), env=self._env)
        return {"rows": float(await _run(*module, "relay", *tuning, env=self._env))}

    async def check_order(self) -> None:
        """Of each key the oldest row came first, within each filling of the table."""
        consumer = AIOKafkaConsumer(
            JOB_REQUESTED.name,
            bootstrap_servers=self._env["KAFKA_BOOTSTRAP_SERVERS"],
            auto_offset_reset="earliest",
        )
        await consumer.start()
        last: dict[bytes, int] = {}
        seen = 0
        while seen < ROWS:
            found = await consumer.getmany(timeout_ms=5_000)
            if not found:
                raise RuntimeError(f"only {seen} of {ROWS} rows are on the topic")
            for record in (one for part in found.values() for one in part):
                number = int(record.value.split()[0])
                if number < last.get(record.key, 0):
                    raise RuntimeError(f"row {number} came after row {last[record.key]} of its key")
                last[record.key] = number
                seen += 1
        await consumer.stop()


async def run(plan: Plan) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="sorami-bench-") as folder:
        Path(folder).chmod(0o711)
        # Persistence has nothing to do here; a stack without services has no tables.
        servers, services = ("postgres", "kafka"), ["persistence"]
        async with (
            Stack(Path(folder) / "home", servers=servers, services=services, discard=True) as stack,
            asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=1, max_size=2) as pool,
        ):
            # The port of a gateway that is not there.
            return await _measure(Relays({**stack.env, "SORAMI_PORT": "9006"}, pool), plan)


async def _measure(relays: Relays, plan: Plan) -> list[Row]:
    await relays.ours()
    await relays.check_order()
    measured = await interleave(
        {
            "ours": relays.ours,
            "best": lambda: relays.theirs(BEST_ROWS, *BEST),
            "default": lambda: relays.theirs(DEFAULT_ROWS, "1", "0", "0"),
        },
        rounds=plan.rounds,
    )
    by_size = [(await relays.ours(size))["rows"] for size in plan.outbox_sizes]
    flatness = Spread.of([min(by_size) / max(by_size)])

    def row(figure: str, unit: str, spread: Spread, goal: float | None = None) -> Row:
        return Row("relay", figure, unit, spread, goal, foreign=measured.foreign)

    return [
        row("relay drains", "rows/s", measured.of("ours.rows"), 15_000),
        row("faststream-outbox, its best tuning", "rows/s", measured.of("best.rows")),
        row("faststream-outbox, its default", "rows/s", measured.of("default.rows")),
        row("relay, to its best tuning", "x", measured.ratio("ours.rows", "best.rows"), 4),
        row("relay, to its default", "x", measured.ratio("ours.rows", "default.rows"), 20),
        *(
            row(f"relay drains {size:,} rows", "rows/s", Spread.of([rate]))
            for size, rate in zip(plan.outbox_sizes, by_size, strict=True)
        ),
        row("slowest to fastest of these", "x", flatness, 0.7),
    ]
