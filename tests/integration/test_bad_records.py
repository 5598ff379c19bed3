"""Poison on a topic becomes a dead letter with its reason, and the next record is handled at once."""

import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts.ids import new_id
from tests.support.product import Product


@pytest.fixture(scope="module")
async def producer(product: Product) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=product.stack.env["KAFKA_BOOTSTRAP_SERVERS"])
    await producer.start()
    yield producer
    await producer.stop()


def progress(job_id: str, **change: Any) -> bytes:
    event = {"job_id": job_id, "kind": "image", "at": datetime.now(UTC).isoformat(), "stage": "saving", "progress": 91}
    return json.dumps(event | change).encode()


BAD: dict[str, tuple[bytes | None, list[tuple[str, bytes | None]], str]] = {
    "not json": (b"{", [], "decode_error"),
    "an empty value": (b"", [], "decode_error"),
    "a null value": (None, [], "decode_error"),
    "utf-16": ('{"a": 1}'.encode("utf-16"), [], "decode_error"),
    "deep nesting": (b"[" * 100_000, [], "decode_error"),
    "a field missing": (b'{"job_id": "x"}', [], "schema_error"),
    "progress out of bounds": (progress("x", progress=101), [], "schema_error"),
    "a NUL": (progress("x", message="a\x00b"), [], "text_invalid"),
    "another version": (progress("x"), [("ce_type", b"io.sorami.job.progress.v9")], "schema_unsupported"),
    "another type": (progress("x"), [("ce_type", b"io.sorami.job.failed.v1")], "type_unknown"),
    "a key of another job": (progress("another"), [], "key_mismatch"),
    "a job of nobody": (progress("x"), [], "unknown_job"),
    "half of a pair": (progress("x").replace(b'"saving"', b'"saving", "message": "\\ud800"'), [], "decode_error"),
    "headers that are no text": (b"{", [("ce_id", b"\xff\xfe"), ("nothing", None)], "decode_error"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_record_is_buried_with_its_reason(product: Product, producer: AIOKafkaProducer, name: str) -> None:
    value, headers, reason = BAD[name]
    sent = await producer.send_and_wait("job.progress", value=value, key=b"x", headers=headers)
    row = await product.until(
        'SELECT * FROM sorami.dead_letters WHERE topic = $1 AND partition = $2 AND "offset" = $3',
        "job.progress",
        sent.partition,
        sent.offset,
    )
    assert (row["consumer"], row["reason"]) == ("persistence", reason)
    assert row["value"] == (value or b"")


async def test_a_reply_to_header_gains_nothing(product: Product, producer: AIOKafkaProducer) -> None:
    began = (await product.row("SELECT clock_timestamp() AS at"))["at"]
    await producer.send_and_wait("job.progress", value=b"{", key=b"x", headers=[("reply_to", b"job.completed")])
    found = await product.until(
        "SELECT 1 FROM sorami.dead_letters WHERE headers->>'reply_to' = 'job.completed' AND topic = 'job.progress'"
    )
    assert found
    answered = "SELECT 1 FROM sorami.dead_letters WHERE topic = 'job.completed' AND at > $1"
    assert await product.row(answered, began) is None


async def test_poison_does_not_hold_up_its_neighbours(product: Product, producer: AIOKafkaProducer) -> None:
    person = product.person()
    job_id = await person.ask("video", model="procedural-1", prompt="Waves", size="640x360", duration_seconds=3)
    key = job_id.encode()
    for _ in range(50):
        await producer.send("job.progress", value=b"poison", key=key)
    began = time.monotonic()
    await producer.send_and_wait("job.progress", value=progress(job_id, kind="video"), key=key)
    await product.until("SELECT 1 FROM sorami.jobs WHERE id = $1 AND progress >= 91", job_id)
    assert time.monotonic() - began < 2
    await person.ended(job_id, "video")


async def test_a_record_as_large_as_the_broker_takes_is_buried_and_its_copy_names_the_place(
    product: Product, producer: AIOKafkaProducer
) -> None:
    large = b"x" * 1_040_000
    sent = await producer.send_and_wait("job.progress", value=large, key=b"x", headers=[("h", b"y" * 5_000)])
    place = ("job.progress", sent.partition, sent.offset)
    row = await product.until(
        'SELECT * FROM sorami.dead_letters WHERE topic = $1 AND partition = $2 AND "offset" = $3', *place
    )
    assert (row["reason"], len(row["value"])) == ("decode_error", len(large))
    # The copy on the topic of its own has no room for the bytes: it is sent without them, and its row is gone.
    await product.until(
        "SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.outbox_persistence WHERE headers->>'sorami-place' = $1)",
        "/".join(map(str, place)),
    )


async def test_a_dead_letter_is_also_on_the_topic_of_its_own(product: Product, producer: AIOKafkaProducer) -> None:
    mark = new_id().encode()
    consumer = AIOKafkaConsumer(
        "job.progress.dlq",
        bootstrap_servers=product.stack.env["KAFKA_BOOTSTRAP_SERVERS"],
        auto_offset_reset="earliest",
        group_id=None,
    )
    await consumer.start()
    await producer.send_and_wait("job.progress", value=b"poison " + mark, key=b"x")
    async for record in consumer:
        if mark in (record.value or b""):
            break
    headers = {name: value.decode() for name, value in record.headers}
    assert headers["sorami-consumer"] == "persistence"
    assert headers["sorami-reason"] == "decode_error"
    await consumer.stop()
