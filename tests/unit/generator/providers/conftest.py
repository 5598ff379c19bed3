"""A fake and its adapter, started and closed."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.generator.providers.base import Order
from services.generator.providers.remote.http_provider import HttpProvider
from services.generator.providers.remote.in_parts import InParts
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.driver import Driver, Ending
from tests.support.providers.fake import FakeProvider
from tests.support.providers.setups import SETUPS, order_for


@dataclass
class Stage:
    """An adapter in front of its fake."""

    fake: FakeProvider
    adapter: HttpProvider
    provider: InParts
    name: str
    folder: Path

    def order(self, **more: object) -> Order:
        return order_for(SETUPS[self.name], self.folder, **more)

    async def drive(self, **more: object) -> Ending:
        return await Driver(self.provider)(self.order(**more))


Open = Callable[..., Awaitable[Stage]]


@pytest.fixture(scope="package", autouse=True)
def one_tls_context() -> Iterator[None]:
    """Reading the machine's certificates for each of hundreds of adapters would be most of these tests' time."""
    with pytest.MonkeyPatch.context() as patch:
        context = ssl.create_default_context()
        patch.setattr(ssl, "create_default_context", lambda: context)
        yield


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Open]:
    """Open a stage by the name of its setup."""
    async with AsyncExitStack() as stack:

        async def open_stage(name: str, script: Behaviour = Behaviour.SUCCESS) -> Stage:
            fake = SETUPS[name].fake()
            fake.script = script
            await fake.start()
            stack.push_async_callback(fake.stop)
            adapter = SETUPS[name].build(fake.url, tmp_path)
            provider = InParts(adapter)
            stack.push_async_callback(provider.close)
            folder = tmp_path / "work"
            folder.mkdir()
            return Stage(fake, adapter, provider, name, folder)

        yield open_stage
