"""What becomes of dead letters: sent again to the topic they came from, or set aside."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.runtime.database import Connection
from services.runtime.outbox import OutboxRow

_OPEN = """
    resolution IS NULL AND ($1::text IS NULL OR topic = $1) AND ($2::text IS NULL OR consumer = $2)
    AND at <= $5::timestamptz
"""
NOW = "SELECT now()"
_PLACE = 'd.topic = picked.topic AND d.partition = picked.partition AND d."offset" = picked."offset"'
_SAME = f"{_PLACE} AND d.consumer = picked.consumer"


def _replay(which: str) -> str:
    return f"""
    WITH picked AS (
        SELECT topic, partition, "offset", consumer FROM sorami.dead_letters WHERE {which}
        ORDER BY at, topic, partition, "offset", consumer LIMIT $4::int FOR UPDATE SKIP LOCKED
    ), marked AS (
        UPDATE sorami.dead_letters d SET resolution = 'replayed', resolved_at = now(), resolved_by = $3
        FROM picked WHERE {_SAME}
        RETURNING d.topic, d.key, d.value, d.headers, d.at, d.partition, d."offset"
    )
    INSERT INTO sorami.outbox_gateway (topic, key, value, headers)
    SELECT topic, coalesce(key, ''), coalesce(value, ''), coalesce(headers, '{{}}') FROM marked
    ORDER BY at, topic, partition, "offset"
    RETURNING id, topic, key, value, headers
    """  # noqa: S608 - constant parts only


# replay: letters go back to their topic in the order they came, and are marked in the same statement.
REPLAY_LETTERS = _replay(_OPEN)
REPLAY_LETTER = _replay(
    """resolution IS NULL AND topic = $1 AND consumer = $2 AND partition = $5::int AND "offset" = $6::bigint"""
)
DISCARD_LETTER = """
    UPDATE sorami.dead_letters SET resolution = 'discarded', resolved_at = now(), resolved_by = $5
    WHERE topic = $1 AND partition = $2 AND "offset" = $3 AND consumer = $4 AND resolution IS NULL
    RETURNING topic
"""

Place = tuple[str, int, int, str]
"""Topic, partition, offset, consumer: what makes a dead letter one."""


async def replay_letters(
    connection: Connection, topic: str | None, consumer: str | None, *, before: datetime | None, by: str, most: int
) -> tuple[list[OutboxRow], datetime]:
    """Send up to `most` open letters again, oldest first; those of one topic or consumer when it is named.

    None of those that came after `before` (now, if left out), which is returned: what fails again is a new letter.
    """
    until: datetime = before or await connection.fetchval(NOW)
    return _rows(await connection.fetch(REPLAY_LETTERS, topic, consumer, by, most, until)), until


async def replay_letter(connection: Connection, place: Place, *, by: str) -> list[OutboxRow]:
    """Send one open letter again; nothing when it is not there or resolved."""
    topic, partition, offset, consumer = place
    return _rows(await connection.fetch(REPLAY_LETTER, topic, consumer, by, 1, partition, offset))


async def discard_letter(connection: Connection, place: Place, *, by: str) -> bool:
    """Set one open letter aside; False when it is not there or resolved."""
    return await connection.fetchval(DISCARD_LETTER, *place, by) is not None


def _rows(found: Sequence[Any]) -> list[OutboxRow]:
    return [OutboxRow(row["id"], row["topic"], row["key"], row["value"], json.loads(row["headers"])) for row in found]
