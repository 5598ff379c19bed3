"""Kafka: whether it answers, and whether topics are as declared and how far readers are."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from contracts.topics import Topic, all_topics
from services.runtime.broker import connection_options
from services.runtime.lags import group_lags
from services.runtime.settings import RuntimeSettings
from sorami.doctor.findings import Finding, bad, look, ok

PATIENCE = 10.0
MUCH = 1_000
"""Records behind that are worth a look."""
READERS = ("generator", "notifier", "persistence")
HOUR_MS = 3_600_000
CREATE = "sorami topics create"
PARTITIONS_PAGE = "docs/operating/partitions.md"


async def examine_broker(settings: RuntimeSettings) -> list[Finding]:
    """Ask the brokers of the settings."""
    place = ",".join(settings.kafka_bootstrap_servers)
    try:
        async with asyncio.timeout(PATIENCE):
            return await _examine(settings, place)
    except (KafkaError, OSError, TimeoutError) as error:
        do = "is it up, does it advertise an address that this machine reaches, do protocol and password fit? KAFKA_*"
        return [bad("kafka", f"{place} does not answer ({type(error).__name__})", do)]


async def _examine(settings: RuntimeSettings, place: str) -> list[Finding]:
    admin = AIOKafkaAdminClient(**connection_options(settings))
    await admin.start()
    try:
        cluster = await admin.describe_cluster()
        brokers = len(cluster["brokers"])
        declared = {settings.topic_prefix + topic.name: topic for topic in all_topics()}
        present = {found["topic"]: found for found in await admin.describe_topics() if found["topic"] in declared}
        kept = await _retention(admin, list(present))
    finally:
        await admin.close()
    findings = [ok("kafka", f"{brokers} broker{'s' if brokers != 1 else ''} at {place}")]
    findings += _topics(declared, present, kept)
    findings += _copies(present, brokers)
    return findings + await _lags(settings)


def _topics(declared: Mapping[str, Topic], present: Mapping[str, Any], kept: Mapping[str, int]) -> list[Finding]:
    found = [bad("topics", f"{name} is missing", CREATE) for name in declared if name not in present]
    for name, topic in declared.items():
        if name not in present:
            continue
        partitions = present[name]["partitions"]
        if any(part["leader"] < 0 for part in partitions):
            found.append(bad("topics", f"{name} has partitions without a leader", "bring its brokers back"))
        if len(partitions) < topic.partitions:
            says = f"{name} has {len(partitions)} partitions, {topic.partitions} are declared"
            found.append(look("topics", says, f"raise them: {PARTITIONS_PAGE}"))
        hours, wanted = kept.get(name, -1) // HOUR_MS, topic.retention_ms // HOUR_MS
        if 0 <= hours < wanted:
            says = f"{name} keeps records {hours} hours, {wanted} are declared"
            found.append(look("topics", says, "raise its retention.ms"))
    return found or [ok("topics", f"{len(declared)} are there as declared")]


def _copies(present: Mapping[str, Any], brokers: int) -> list[Finding]:
    parts = [part for found in present.values() for part in found["partitions"]]
    behind = sum(len(part["isr"]) < len(part["replicas"]) for part in parts)
    single = sum(len(part["replicas"]) == 1 for part in parts)
    if behind:
        return [look("copies", f"{behind} partitions have copies that lag", "look after the brokers that are behind")]
    if single and brokers > 1:
        do = "give every topic three copies; SORAMI_TOPIC_REPLICATION=3 before topics are created"
        return [look("copies", f"{single} partitions have one copy on {brokers} brokers", do)]
    return [ok("copies", "every partition's copies are in step")] if parts else []


async def _retention(admin: Any, names: list[str]) -> dict[str, int]:
    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, configs={"retention.ms": None}) for name in names]
    kept: dict[str, int] = {}
    for answer in await admin.describe_configs(asked):
        for resource in answer.resources:
            for entry in resource[4]:
                if entry[0] == "retention.ms":
                    kept[resource[3]] = int(entry[1])
    return kept


async def _lags(settings: RuntimeSettings) -> list[Finding]:
    lags = await group_lags(settings, READERS)
    if lags is None:
        return [look("lag", "the brokers did not tell it in time", "ask again; see whether they are overloaded")]
    behind = Counter({f"{group} on {topic}": lag for (group, topic), lag in lags.items() if lag > MUCH})
    if not behind:
        return [ok("lag", "nobody is far behind")]
    do = "wait if it shrinks; else docs/operating/runbooks/SoramiConsumerBehind.md"
    return [look("lag", f"{name} is {lag:,} records behind", do) for name, lag in behind.most_common()]
