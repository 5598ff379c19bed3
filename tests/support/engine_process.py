"""A generator's work as a process of its own, to be killed: `<database url> <setup> <fake's address> <folder>`."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, cast

import asyncpg

from services.generator.app import build_app
from services.generator.settings import GeneratorSettings
from tests.support.engine import parts_for


class _NoRelay:
    """The rows stay in the outbox, where the test reads them."""

    def offer(self, rows: Any) -> None:
        pass


class _Folder:
    """Objects as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, body: bytes | Path, *, content_type: str, sha256: str) -> None:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else await asyncio.to_thread(body.read_bytes))


async def work(url: str, name: str, fake: str, folder: Path) -> None:
    settings = GeneratorSettings(**cast(Any, {"database_url": url, "public_url": "http://test", "lease_seconds": 3}))
    async with asyncpg.create_pool(url, min_size=1, max_size=6) as pool:
        generator = build_app(
            settings,
            pool,
            cast(Any, _NoRelay()),
            cast(Any, _Folder(folder / "objects")),
            {},
            cast(Any, None),
            worker=f"test:{os.getpid()}",
            remote=parts_for(name, fake, folder, poll_every=float(os.environ.get("POLL_EVERY", "0.05"))),
        )
        print("ready", flush=True)
        await asyncio.gather(generator.run_tasks.run(), generator.poll_tasks.run(), generator.end_operations.run())


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])))
