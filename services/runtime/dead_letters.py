"""Where records go that cannot be handled: a row with all that is known, and the topic's `.dlq` by the outbox."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.runtime.consumer import DeadLetter
from services.runtime.database import Pool, transaction
from services.runtime.outbox import OutboxColumns, as_rows, insert_statement
from services.runtime.relay import Relay

_INSERT = """
    INSERT INTO sorami.dead_letters (topic, partition, "offset", consumer, key, reason, detail, value, headers)
    SELECT topic, partition, "offset", $9, key, reason, detail, value, headers::jsonb
    FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[])
         AS given(topic, partition, "offset", key, reason, detail, value, headers)
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class _Record:
    topic: str
    key: str
    value: bytes
    headers: dict[str, str]


MOST_BYTES = 900_000
"""What a producer surely takes with the headers we add; of a larger record the topic gets the place and no bytes."""


def _that_fits(value: bytes, headers: dict[str, str]) -> bytes:
    size = len(value) + sum(len(name) + len(text.encode()) for name, text in headers.items())
    return value if size <= MOST_BYTES else b""


def _storable(text: str) -> str:
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()


def burier(pool: Pool, relay: Relay, service: str) -> Callable[[Sequence[DeadLetter]], Awaitable[None]]:
    """Return the function that buries letters under a service's name, once each."""

    async def bury(letters: Sequence[DeadLetter]) -> None:
        keys = [_storable((letter.record.key or b"").decode("utf-8", "replace")) for letter in letters]
        headers = [{_storable(k): _storable(v) for k, v in letter.record.headers.items()} for letter in letters]
        records = [
            _Record(
                f"{letter.record.topic}.dlq",
                key,
                _that_fits(letter.record.value or b"", kept),
                kept
                | {
                    "sorami-consumer": service,
                    "sorami-reason": letter.reason,
                    "sorami-place": f"{letter.record.topic}/{letter.record.partition}/{letter.record.offset}",
                },
            )
            for letter, key, kept in zip(letters, keys, headers, strict=True)
        ]
        columns = OutboxColumns.of(records)
        async with transaction(pool) as connection:
            await connection.execute(
                _INSERT,
                [letter.record.topic for letter in letters],
                [letter.record.partition for letter in letters],
                [letter.record.offset for letter in letters],
                keys,
                [letter.reason for letter in letters],
                [_storable(letter.detail) for letter in letters],
                [letter.record.value or b"" for letter in letters],
                [json.dumps(kept) for kept in headers],
                service,
            )
            ids = await connection.fetch(
                insert_statement(service), columns.topics, columns.keys, columns.values, columns.headers
            )
        relay.offer(as_rows([row["id"] for row in ids], records))

    return bury
