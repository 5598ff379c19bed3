"""Jobs that wait for their reports, and the reports a generator would send of them: what persistence alone is given."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from contracts.cloudevents import to_record
from contracts.events import CompletedFile, JobCompleted, JobProgressed, Reported
from contracts.ids import new_id
from contracts.kinds import KINDS
from contracts.media import object_key
from contracts.status import Stage
from contracts.topics import JOB_COMPLETED, JOB_FAILED, JOB_PROGRESS
from sorami.local.stack import Stack
from tests.bench.product import USERS

GROUP = "sorami.persistence"
STEPS = ((Stage.INITIALIZING, 25), (Stage.GENERATING, 60), (Stage.SAVING, 90))
INSERT = """
    WITH given AS (SELECT id, 'bench' || n % $2 AS owner FROM unnest($1::text[]) WITH ORDINALITY AS g(id, n)),
    jobs AS (
        INSERT INTO sorami.jobs (id, kind, owner_id, origin, provider, model, request, request_hash)
        SELECT id, 'image', owner, 'api', 'instant', 'instant', '{}', id FROM given)
    INSERT INTO image_generations (id, prompt, "authorId", model) SELECT id, 'Un chat mignon', owner, 'instant'
    FROM given
"""


def reports_of(job_id: str) -> list[Reported]:
    """Return three steps of progress and the completion of a job."""
    head: dict[str, Any] = {"job_id": job_id, "kind": "image", "at": datetime.now(UTC), "fence": 1}
    head |= {"provider": "instant", "model": "instant"}
    steps: list[Reported] = [
        JobProgressed(**head, stage=stage, progress=percent, report_step=number)
        for number, (stage, percent) in enumerate(STEPS, 1)
    ]
    key = object_key(KINDS["image"], job_id, 1, "PNG", 1)
    file = CompletedFile(index=1, storage_key=key, filename="image_1.png", format="PNG", content_type="image/png")
    return [*steps, JobCompleted(**head, files=[file], metadata={"model_name": "instant"})]


class Persistence:
    """Persistence with Kafka and Postgres, and nobody else."""

    def __init__(self, stack: Stack, pool: Any, producer: AIOKafkaProducer) -> None:
        self.stack, self.pool, self._producer = stack, pool, producer

    async def jobs(self, count: int) -> list[str]:
        """Insert jobs and return their ids."""
        ids = [new_id() for _ in range(count)]
        await self.pool.execute(INSERT, ids, USERS)
        return ids

    async def tell(self, events: Sequence[Reported]) -> None:
        sent = []
        for event in events:
            record = to_record(event, service="generator")
            headers = [(name, value.encode()) for name, value in record.headers.items()]
            sent.append(await self._producer.send(record.topic, record.value, key=record.key.encode(), headers=headers))
        await asyncio.gather(*sent)

    async def behind(self) -> int:
        """Return how many records its group has not committed."""
        servers = self.stack.env["KAFKA_BOOTSTRAP_SERVERS"]
        admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        await admin.start()
        consumer = AIOKafkaConsumer(bootstrap_servers=servers)
        await consumer.start()
        try:
            committed = await admin.list_consumer_group_offsets(GROUP)
            topics = {JOB_PROGRESS.name, JOB_COMPLETED.name, JOB_FAILED.name}
            ends = await consumer.end_offsets([place for place in committed if place.topic in topics])
            return sum(max(0, end - max(0, committed[place].offset)) for place, end in ends.items())
        finally:
            await consumer.stop()
            await admin.close()


@asynccontextmanager
async def persistence() -> AsyncIterator[Persistence]:
    """Start it in a folder of its own."""
    with TemporaryDirectory(prefix="sorami-bench-") as folder:
        Path(folder).chmod(0o711)
        settings = {"SORAMI_LOG_LEVEL": "warning"}
        async with (
            Stack(
                Path(folder) / "home",
                servers=("postgres", "kafka"),
                services=["persistence"],
                settings=settings,
                discard=True,
            ) as stack,
            asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=1, max_size=2) as pool,
        ):
            users = (
                "INSERT INTO users (id, \"clerkId\") SELECT 'bench' || n, 'bench' || n FROM generate_series(0, $1) AS n"
            )
            await pool.execute(users, USERS)
            producer = AIOKafkaProducer(bootstrap_servers=stack.env["KAFKA_BOOTSTRAP_SERVERS"], linger_ms=1)
            await producer.start()
            try:
                yield Persistence(stack, pool, producer)
            finally:
                await producer.stop()
