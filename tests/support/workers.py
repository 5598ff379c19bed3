"""Workers outside of the product: the sample, as a process, and one whose every word a test says."""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from tests.support.product import Product

SAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "external_generator.py"


async def generator_key(product: Product) -> str:
    """Return the secret of a key that may only generate; an operator makes it."""
    made = await product.operator().http.post("/api/keys", json={"name": "painter", "scopes": ["generate"]})
    assert made.status_code == 201, made.text
    secret: str = made.json()["secret"]
    return secret


class Sample:
    """The running sample; `said` is what it printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[str] = []

    async def says(self, words: str, within: float = 30) -> None:
        """Wait until it prints a line that begins so."""
        assert self._process.stdout is not None
        async with asyncio.timeout(within):
            while not any(line.startswith(words) for line in self.said):
                line = await self._process.stdout.readline()
                assert line, "the sample ended"
                self.said.append(line.decode().strip())

    def kill(self) -> None:
        self._process.kill()


@asynccontextmanager
async def sample(product: Product) -> AsyncIterator[Sample]:
    """Run the sample generator against the product."""
    env = os.environ | {
        "KAFKA_BOOTSTRAP_SERVERS": product.stack.env["KAFKA_BOOTSTRAP_SERVERS"],
        "SORAMI_URL": product.url,
        "SORAMI_GENERATOR_KEY": await generator_key(product),
    }
    process = await asyncio.create_subprocess_exec(sys.executable, str(SAMPLE), stdout=asyncio.subprocess.PIPE, env=env)
    running = Sample(process)
    try:
        await running.says("ready")
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


class Puppet:
    """A worker that says what a test tells it to."""

    def __init__(self, product: Product, provider: str, key: str) -> None:
        self._product = product
        self._provider = f"external:{provider}"
        self._producer = AIOKafkaProducer(bootstrap_servers=product.stack.env["KAFKA_BOOTSTRAP_SERVERS"], acks="all")
        self.http = httpx.AsyncClient(base_url=product.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    async def says(self, topic: str, job_id: str, **said: Any) -> None:
        """Report on a job."""
        event = {
            "job_id": job_id,
            "kind": "image",
            "at": datetime.now(UTC).isoformat(),
            "provider": self._provider,
            **said,
        }
        sent = json.dumps({name: value for name, value in event.items() if value is not None}).encode()
        await self._producer.send_and_wait(topic, sent, key=job_id.encode())

    async def completes(self, job_id: str, *keys: str, **more: Any) -> None:
        """Report files under these keys."""
        files = [
            {"index": n, "storage_key": key, "filename": "a.png", "format": "PNG", "content_type": "image/png"}
            for n, key in enumerate(keys, 1)
        ]
        await self.says("job.completed", job_id, files=files, **more)

    async def uploads(self, job_id: str, body: bytes, *, sent: bytes | None = None) -> str:
        """Upload bytes for a job and return their key; `sent` are others than announced."""
        announced = {
            "job_id": job_id,
            "content_type": "image/png",
            "size_bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        answer = await self.http.post("/api/generators/uploads", json=announced)
        assert answer.status_code == 201, answer.text
        form = answer.json()
        async with httpx.AsyncClient(timeout=30) as store:
            await store.post(form["url"], data=form["fields"], files={"file": sent or body})
        key: str = form["storage_key"]
        return key

    async def __aenter__(self) -> "Puppet":
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()
        await self.http.aclose()
