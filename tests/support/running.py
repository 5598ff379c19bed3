"""One running product for the whole session: real Kafka, Postgres and S3, and the four services as processes."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from sorami.local.services import SERVICES
from sorami.local.stack import Stack
from tests.support.collector import Collector
from tests.support.image_host import ImageHost
from tests.support.ports import free_port
from tests.support.product import SECRET, Product
from tests.support.providers.fake import KEY
from tests.support.providers.fal import FakeFal
from tests.support.providers.openai import FakeOpenAI
from tests.support.receiver import Receiver, running


@pytest.fixture(scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    """Where the product's outgoing webhooks arrive."""
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture(scope="session")
async def hooks() -> AsyncIterator[Receiver]:
    """Where people have their webhooks sent."""
    async for receiver in running(Receiver()):
        yield receiver


@pytest.fixture(scope="session")
async def wrong_tls() -> AsyncIterator[Receiver]:
    """A receiver whose certificate nobody trusts."""
    async for receiver in running(Receiver(tls=True)):
        yield receiver


@pytest.fixture(scope="session")
async def image_host() -> AsyncIterator[ImageHost]:
    """Somebody's web server with pictures, good and bad; the only private address the product may fetch from."""
    host = ImageHost()
    await host.start()
    yield host
    await host.stop()


@dataclass(frozen=True)
class Painters:
    """Fakes of two remote providers: one answers with its pictures, one with an operation."""

    openai: FakeOpenAI
    fal: FakeFal

    @property
    def settings(self) -> dict[str, str]:
        return {
            "OPENAI_API_KEY": KEY,
            "SORAMI_OPENAI_URL": f"{self.openai.url}/v1",
            "SORAMI_OPENAI_PARTIAL_IMAGES": "2",
            "FAL_KEY": KEY,
            "SORAMI_FAL_URL": self.fal.url,
        }


@pytest.fixture(scope="session")
async def painters() -> AsyncIterator[Painters]:
    """Who renders elsewhere for the product."""
    painters = Painters(FakeOpenAI(), FakeFal())
    await painters.openai.start()
    await painters.fal.start()
    yield painters
    await painters.openai.stop()
    await painters.fal.stop()


WORKERS = {
    "painter-1": {"provider": "painter", "heartbeat_seconds": 10},
    "silent-1": {"provider": "silent", "heartbeat_seconds": 1, "start_seconds": 2},
    "clumsy-1": {"provider": "clumsy", "heartbeat_seconds": 60},
}
"""Models of workers outside of the product: one that works, one that falls silent, one that reports nonsense."""


@pytest.fixture(scope="session")
def backend_port() -> int:
    """Where the product expects the seeds' Flask backend; whoever needs it starts it there."""
    return free_port()


@pytest.fixture(scope="session")
async def collector() -> AsyncIterator[Collector]:
    """Where the product sends its spans."""
    collector = Collector()
    await collector.start()
    yield collector
    await collector.stop()


@pytest.fixture(scope="session")
async def product(
    tmp_path_factory: pytest.TempPathFactory,
    receiver: Receiver,
    hooks: Receiver,
    wrong_tls: Receiver,
    image_host: ImageHost,
    painters: Painters,
    backend_port: int,
    collector: Collector,
) -> AsyncIterator[Product]:
    home: Path = tmp_path_factory.mktemp("product")
    settings = {
        "WEBHOOK_SECRET": SECRET,
        "WEBHOOK_URL": f"http://127.0.0.1:{receiver.port}/api/webhooks/image-completion",
        # What Kafka forgot is looked for sooner than in production, so that tests need not wait a minute.
        "SORAMI_FORGOTTEN_SECONDS": "4",
        "SORAMI_WEBHOOK_ALLOW": f"127.0.0.1:{hooks.port},127.0.0.1:{wrong_tls.port}",
        "SORAMI_WEBHOOK_SECONDS": "3",
        "SORAMI_FETCH_ALLOWED": f"127.0.0.1:{image_host.port}",
        "SORAMI_EXTERNAL_MODELS": json.dumps(WORKERS),
        "BACKEND_URL": f"http://127.0.0.1:{backend_port}",
        **painters.settings,
        **collector.settings,
    }
    async with Stack(home, services=SERVICES, settings=settings, discard=True) as stack:
        pool = await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=1, max_size=4)
        product = Product(stack, pool)
        yield product
        await product.close()
