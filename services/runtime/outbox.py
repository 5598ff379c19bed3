"""The transactional outbox: an event is a row of the transaction that caused it. No Kafka in here."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


class Sendable(Protocol):
    """What a record must show to be put: topic without prefix, key, value, headers."""

    @property
    def topic(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def value(self) -> bytes: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A committed row on its way to Kafka."""

    id: int
    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class OutboxColumns:
    """Records as columns for `unnest`: topics, keys, values, headers (as JSON text)."""

    topics: list[str]
    keys: list[str]
    values: list[bytes]
    headers: list[str]

    @classmethod
    def of(cls, records: Iterable[Sendable]) -> "OutboxColumns":
        listed = list(records)
        return cls(
            [record.topic for record in listed],
            [record.key for record in listed],
            [record.value for record in listed],
            [json.dumps(dict(record.headers), ensure_ascii=False) for record in listed],
        )


def table_of(service: str) -> str:
    """Return the outbox table of a service; only that service's role may write it."""
    return f"sorami.outbox_{service}"


def insert_statement(service: str) -> str:
    """Return the statement that puts columns of records ($1 to $4) and returns their ids in the given order."""
    return f"""
        INSERT INTO {table_of(service)} (topic, key, value, headers)
        SELECT topic, key, value, headers::jsonb
        FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[]) WITH ORDINALITY
             AS given(topic, key, value, headers, place)
        ORDER BY place
        RETURNING id
    """  # noqa: S608 - the only variable part is a service's name of ours


def as_rows(ids: Iterable[int], records: Iterable[Sendable]) -> list[OutboxRow]:
    """Pair records with the ids their rows got."""
    return [
        OutboxRow(id_, record.topic, record.key, record.value, record.headers)
        for id_, record in zip(ids, records, strict=True)
    ]
