"""`sorami admin topics`: every declared topic as the brokers have it. Asks Kafka."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from contracts.topics import all_topics
from services.runtime.broker import connection_options
from services.runtime.settings import EXIT_UNAVAILABLE, RuntimeSettings


def main(argv: list[str] | None = None) -> int:
    """Print partitions, copies and what is amiss; 75 when Kafka does not answer."""
    parser = argparse.ArgumentParser(prog="sorami admin topics", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    settings = RuntimeSettings(database_url=os.environ.get("DATABASE_URL", "postgresql://unused"))
    try:
        rows = asyncio.run(_topics(settings))
    except (KafkaError, OSError, TimeoutError) as error:
        print(f"sorami: Kafka does not answer: {type(error).__name__}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print(_line(row))
    return 0


def _line(row: Mapping[str, Any]) -> str:
    if not row["there"]:
        return f"{row['topic']:<36}missing"
    behind = f", {row['behind']} behind" if row["behind"] else ""
    said = f"{row['partitions']} partitions ({row['declared']} declared), {row['copies']} copies"
    return f"{row['topic']:<36}{said}{behind}"


async def _topics(settings: RuntimeSettings) -> list[dict[str, Any]]:
    admin = AIOKafkaAdminClient(**connection_options(settings))
    await admin.start()
    try:
        present = {found["topic"]: found["partitions"] for found in await admin.describe_topics()}
    finally:
        await admin.close()
    return [_row(settings.topic_prefix + topic.name, topic.partitions, present) for topic in all_topics()]


def _row(name: str, declared: int, present: dict[str, Any]) -> dict[str, Any]:
    parts = present.get(name, [])
    return {
        "topic": name,
        "there": name in present,
        "partitions": len(parts),
        "declared": declared,
        "copies": min((len(part["replicas"]) for part in parts), default=0),
        "behind": sum(len(part["isr"]) < len(part["replicas"]) for part in parts),
    }


if __name__ == "__main__":
    sys.exit(main())
