"""The topics as an outsider has them: everything on them, and whatever is put there."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contracts.topics import PARTITIONS
from tests.chaos.rig import Rig

REPORTS = ("job.progress", "job.completed", "job.failed")


@dataclass(frozen=True)
class Recorded:
    """A record with what makes it the same event again."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


async def recorded(rig: Rig, *topics: str, about: str = "") -> list[Recorded]:
    """Return everything on topics, or what has keys that begin with `about`, as it lies there now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=rig.stack.env["KAFKA_BOOTSTRAP_SERVERS"])
    await consumer.start()
    try:
        places = [TopicPartition(topic, n) for topic in topics for n in range(PARTITIONS)]
        consumer.assign(places)
        begin, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        for place in places:
            consumer.seek(place, begin[place])
        left = sum(end.values()) - sum(begin.values())
        found: list[Recorded] = []
        while len(found) < left:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += [Recorded(one.topic, one.key, one.value, one.headers) for one in batch]
    finally:
        await consumer.stop()
    return [one for one in found if (one.key or b"").startswith(about.encode())]


@asynccontextmanager
async def publishing(rig: Rig) -> AsyncIterator[AIOKafkaProducer]:
    """Give a producer of nobody's."""
    producer = AIOKafkaProducer(bootstrap_servers=rig.stack.env["KAFKA_BOOTSTRAP_SERVERS"])
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def publish(rig: Rig, records: Sequence[Recorded]) -> None:
    """Put records on their topics in this order."""
    async with publishing(rig) as producer:
        sends = [
            await producer.send(one.topic, value=one.value, key=one.key, headers=list(one.headers)) for one in records
        ]
        for sent in sends:
            await sent
