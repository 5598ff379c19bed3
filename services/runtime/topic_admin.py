"""Creates topics as they are declared, and says where an existing one differs; topics are never auto-created."""

import asyncio
import os
import sys
from collections.abc import Iterable
from typing import Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from services.runtime.broker import connection_options
from services.runtime.settings import EXIT_UNAVAILABLE, RuntimeSettings


class DeclaredTopic(Protocol):
    """What a declaration of a topic must show."""

    @property
    def name(self) -> str: ...
    @property
    def partitions(self) -> int: ...
    @property
    def retention_ms(self) -> int: ...


async def too_narrow(settings: RuntimeSettings, topics: Iterable[DeclaredTopic]) -> dict[str, tuple[int, int]]:
    """Return the topics that have fewer partitions than they are declared with, and both numbers."""
    wanted = {settings.topic_prefix + topic.name: topic.partitions for topic in topics}
    admin = AIOKafkaAdminClient(**connection_options(settings))
    await admin.start()
    try:
        found = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics(list(wanted))}
    finally:
        await admin.close()
    return {name: (found[name], most) for name, most in wanted.items() if 0 < found.get(name, 0) < most}


async def ensure_topics(settings: RuntimeSettings, topics: Iterable[DeclaredTopic], *, replication: int) -> list[str]:
    """Create what is missing and return the names created; raises KafkaError when the broker refuses."""
    admin = AIOKafkaAdminClient(**connection_options(settings))
    await admin.start()
    try:
        present = set(await admin.list_topics())
        wanted = {settings.topic_prefix + topic.name: topic for topic in topics}
        missing = [
            NewTopic(
                name,
                num_partitions=topic.partitions,
                replication_factor=replication,
                topic_configs={"retention.ms": str(topic.retention_ms), "cleanup.policy": "delete"},
            )
            for name, topic in wanted.items()
            if name not in present
        ]
        if missing:
            response = await admin.create_topics(missing)
            for name, code, *_ in response.topic_errors:
                error = for_code(code)
                if code and error is not TopicAlreadyExistsError:
                    raise error(f"topic {name} could not be created")
        return [topic.name for topic in missing]
    finally:
        await admin.close()


def run(topics: Iterable[DeclaredTopic]) -> int:
    """Create the topics against the broker of the environment; returns an exit code."""
    settings = RuntimeSettings(database_url=os.environ.get("DATABASE_URL", "postgresql://unused"))
    replication = int(os.environ.get("SORAMI_TOPIC_REPLICATION", "1"))
    try:
        declared = list(topics)
        created = asyncio.run(ensure_topics(settings, declared, replication=replication))
        narrow = asyncio.run(too_narrow(settings, declared))
    except (KafkaError, OSError) as error:
        print(f"topics: Kafka at {', '.join(settings.kafka_bootstrap_servers)}: {error}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    print(f"topics: {len(created)} created" if created else "topics: all there")
    for name, (has, most) in narrow.items():
        print(f"topics: {name} has {has} of {most} partitions; somebody else made it, widen it", file=sys.stderr)
    return 0
