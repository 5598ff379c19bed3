"""A generator outside of Sorami, whole: it hears job.requested, paints, uploads, and reports by topics.

    KAFKA_BOOTSTRAP_SERVERS=… SORAMI_URL=… SORAMI_GENERATOR_KEY=… python external_generator.py

It needs a Kafka client and an HTTP client, nothing of Sorami. docs/external-generators.md says what each step promises.
"""

import asyncio
import hashlib
import json
import os
import struct
import time
import uuid
import zlib
from datetime import UTC, datetime
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

PROVIDER = "external:painter"  # as SORAMI_EXTERNAL_MODELS declares it
MODEL = "painter-1"
AT_ONCE = 2
HEARTBEAT_SECONDS = 2.0  # well below the heartbeat_seconds of the declaration

Job = dict[str, Any]


class Painter:
    """Takes jobs, reports where they stand, and forgets those that nobody wants any more."""

    def __init__(self, producer: AIOKafkaProducer, sorami: httpx.AsyncClient) -> None:
        self.producer = producer
        self.sorami = sorami
        self.running: dict[str, asyncio.Task[None]] = {}
        self.seen: set[str] = set()

    def take(self, job: Job) -> None:
        """Begin a job; delivery is at least once, so the same one again is nothing new."""
        if job["job_id"] not in self.seen:
            self.seen.add(job["job_id"])
            task = asyncio.create_task(self.work(job))
            self.running[job["job_id"]] = task
            task.add_done_callback(lambda _: self.running.pop(job["job_id"], None))

    def cancel(self, job_id: str) -> None:
        """Stop; Sorami has said CANCELLED by itself, so nothing is reported."""
        if job_id in self.running:
            print("cancelled", job_id, flush=True)
            self.running[job_id].cancel()

    async def work(self, job: Job) -> None:
        """From the first report to the last: exactly one of job.completed and job.failed ends a job."""
        await self.report("job.progress", job, stage="generating", progress=30)
        beat = asyncio.create_task(self.keep_alive(job))
        try:
            await asyncio.sleep(30.0 if job["quality"] == "high" else 0.1)  # here the real work would be
            files = [await self.upload(job, number) for number in range(1, job["count"] + 1)]
            await self.report("job.completed", job, files=files, metadata={"model_name": MODEL, "version": "1.0"})
            print("completed", job["job_id"], flush=True)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 409:  # 409: the job has ended meanwhile
                await self.fail(job, str(error))
        except httpx.HTTPError as error:
            await self.fail(job, str(error))
        finally:
            beat.cancel()

    async def keep_alive(self, job: Job) -> None:
        """Any report is a sign of life; without one for heartbeat_seconds the job fails as `timeout`."""
        progress = 30
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            progress = min(progress + 5, 85)
            await self.report("job.progress", job, stage="generating", progress=progress)

    async def upload(self, job: Job, number: int) -> dict[str, Any]:
        """Ask for a form that takes exactly these bytes, and send them with it."""
        width, height = (int(side) for side in job["size"].split("x"))
        picture = paint(f"{job['prompt']} {number}", width, height)
        rendered = {
            "job_id": job["job_id"],
            "content_type": "image/png",
            "size_bytes": len(picture),
            "sha256": hashlib.sha256(picture).hexdigest(),
        }
        form = (await self.sorami.post("/api/generators/uploads", json=rendered)).raise_for_status().json()
        async with httpx.AsyncClient(timeout=60) as store:
            sent = await store.post(form["url"], data=form["fields"], files={"file": picture})
        sent.raise_for_status()
        return {
            "index": number,
            "storage_key": form["storage_key"],
            "filename": f"image_{number}.png",
            "format": "PNG",
            "content_type": "image/png",
        }

    async def fail(self, job: Job, message: str) -> None:
        """Say why; `charged` tells whether somebody paid for it."""
        failure = {"code": "provider_error", "message": message[:500], "retryable": True, "charged": "no"}
        await self.report("job.failed", job, failure=failure)

    async def report(self, topic: str, job: Job, **said: Any) -> None:
        """Send a CloudEvent in Kafka's binary mode, keyed by the job's id."""
        now = datetime.now(UTC).isoformat()
        event = {"job_id": job["job_id"], "kind": job["kind"], "at": now, "provider": PROVIDER, **said}
        headers = {
            "ce_specversion": "1.0",
            "ce_id": uuid.uuid4().hex,
            "ce_type": f"io.sorami.{topic}.v1",
            "ce_source": "/painter",
            "ce_time": now,
            "ce_subject": job["job_id"],
            "content-type": "application/json",
        }
        await self.producer.send_and_wait(
            topic,
            json.dumps(event).encode(),
            key=job["job_id"].encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
        )


def paint(prompt: str, width: int, height: int) -> bytes:
    """Two colours of the prompt's own, one fading into the other, as a PNG."""
    digest = hashlib.sha256(prompt.encode()).digest()
    rows = bytearray()
    for y in range(height):
        colour = bytes((a * (height - y) + b * y) // height for a, b in zip(digest[:3], digest[3:6], strict=True))
        rows += b"\0" + colour * width

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(rows), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def read(value: bytes | None) -> dict[str, Any]:
    """Return what a record says; nothing of one that cannot be read, which must not stop the others."""
    try:
        found = json.loads(value or b"")
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


async def main() -> None:
    """Consume until stopped. Offsets are committed only while nothing is under way: a crash loses no job."""
    servers = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    consumer = AIOKafkaConsumer(
        "job.requested",
        "job.cancel-requested",
        bootstrap_servers=servers,
        group_id="painter",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all")
    key = {"Authorization": f"Bearer {os.environ['SORAMI_GENERATOR_KEY']}"}
    async with consumer, producer, httpx.AsyncClient(base_url=os.environ["SORAMI_URL"], headers=key) as sorami:
        painter = Painter(producer, sorami)
        print("ready", flush=True)
        committed = time.monotonic()
        while True:
            # While enough is under way, no further job is taken; wishes to cancel are heard all the same.
            partitions = [one for one in consumer.assignment() if one.topic == "job.requested"]
            (consumer.pause if len(painter.running) >= AT_ONCE else consumer.resume)(*partitions)
            for records in (await consumer.getmany(timeout_ms=200, max_records=AT_ONCE)).values():
                for record in records:
                    job = read(record.value)
                    if record.topic == "job.cancel-requested":
                        painter.cancel(job.get("job_id"))
                    elif job.get("model") == MODEL:
                        painter.take(job)
            if not painter.running and time.monotonic() - committed > 1.0:
                await consumer.commit()
                committed = time.monotonic()


if __name__ == "__main__":
    asyncio.run(main())
