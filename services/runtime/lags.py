"""How far consumer groups are behind: asked of the broker when somebody looks, never a judge of health."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.runtime.broker import connection_options
from services.runtime.logs import get_logger
from services.runtime.settings import RuntimeSettings

PATIENCE = 5.0

_log = get_logger(part="lags")


async def group_lags(settings: RuntimeSettings, services: Sequence[str]) -> dict[tuple[str, str], int] | None:
    """Return what each service's group has yet to handle, by group and topic; None when Kafka does not say in time."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await _ask(settings, [f"{settings.topic_prefix}sorami.{service}" for service in services])
    except (KafkaError, OSError, TimeoutError) as error:
        _log.warning("kafka does not tell the lags", error=type(error).__name__)
        return None


async def _ask(settings: RuntimeSettings, groups: Sequence[str]) -> dict[tuple[str, str], int]:
    options = connection_options(settings)
    admin, consumer = AIOKafkaAdminClient(**options), AIOKafkaConsumer(**options)
    try:
        await admin.start()
        await consumer.start()
        committed = {group: await admin.list_consumer_group_offsets(group) for group in groups}
        partitions = list({place for offsets in committed.values() for place in offsets})
        ends = await consumer.end_offsets(partitions) if partitions else {}
    finally:
        await consumer.stop()
        await admin.close()
    behind: Counter[tuple[str, str]] = Counter()
    for group, offsets in committed.items():
        for place, found in offsets.items():
            behind[group, _topic(place, settings)] += max(0, ends[place] - found.offset) if found.offset >= 0 else 0
    return dict(sorted(behind.items()))


def _topic(place: TopicPartition, settings: RuntimeSettings) -> str:
    name: str = place.topic
    return name.removeprefix(settings.topic_prefix)
