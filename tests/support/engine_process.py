"""Generators as processes of their own, to be killed: a host that has everything imported forks one for each order.

Orders come as JSON lines: `{"start": {…}}` is answered by `ready <pid>`, `{"reap": <pid>}` by `reaped`.
"""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, cast

import asyncpg

from contracts.provider_settings import ExternalModel
from services.generator.app import RemoteParts, build_app
from services.generator.providers.base import Provider
from services.generator.providers.external import external_workers
from services.generator.providers.instant import InstantProvider
from services.generator.render_pool import RenderLimits, RenderPool
from services.generator.settings import GeneratorSettings
from services.generator.usecases.collect_media import EXAMINER
from services.runtime.objects import ObjectMissing
from tests.support.engine import parts_for

PAINTER = "external:painter"
ANSWERS = os.dup(1)
"""Where answers go; what is printed goes elsewhere."""


class _NoRelay:
    """The rows stay in the outbox, where the test reads them."""

    def offer(self, rows: Any) -> None:
        pass


class Folder:
    """Objects as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, body: bytes | Path, *, content_type: str, sha256: str) -> None:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else await asyncio.to_thread(body.read_bytes))

    async def save(self, key: str, path: Path, *, most_bytes: int) -> None:
        try:
            await asyncio.to_thread(shutil.copyfile, self._folder / key, path)
        except FileNotFoundError:
            raise ObjectMissing(key) from None

    async def delete_all(self, prefix: str) -> int:
        found = [path for path in self._folder.rglob("*") if str(path.relative_to(self._folder)).startswith(prefix)]
        for path in found:
            path.unlink()
        return len(found)


def _parts(name: str, pool: Any, objects: Any, order: dict[str, Any]) -> tuple[dict[str, Provider], RemoteParts]:
    """Build the providers of a kind: one that draws here, a worker of others, or a setup with its fake."""
    if name == "instant":
        return {"instant": InstantProvider()}, RemoteParts()
    if name != PAINTER:
        return {}, parts_for(name, order["fake"], Path(order["folder"]), poll_every=order["poll_every"])
    model = ExternalModel(provider="painter", heartbeat_seconds=600)
    examiners = RenderPool(1, RenderLimits(wall_seconds=30.0), renderer=EXAMINER, orders_per_child=1)
    return {}, RemoteParts(dict(external_workers({"painter-1": model}, pool, objects)), examiners)


async def work(order: dict[str, Any]) -> None:
    given = {
        "database_url": order["database"],
        "public_url": "http://test",
        "lease_seconds": 3,
        "forgotten_after": order["forgotten_after"],
        "resubmit_ambiguous": order["resubmit"],
    }
    settings = GeneratorSettings(**cast(Any, given))
    async with asyncpg.create_pool(order["database"], min_size=1, max_size=6) as pool:
        objects = cast(Any, Folder(Path(order["folder"]) / "objects"))
        providers, remote = _parts(order["name"], pool, objects, order)
        generator = build_app(
            settings,
            pool,
            cast(Any, _NoRelay()),
            objects,
            providers,
            cast(Any, None),
            worker=f"test:{os.getpid()}",
            remote=remote,
        )
        os.write(ANSWERS, f"ready {os.getpid()}\n".encode())
        await asyncio.gather(
            generator.run_tasks.run(),
            generator.poll_tasks.run(),
            generator.end_operations.run(),
            generator.settle_jobs.run(),
        )


def host() -> None:
    """Fork what is asked for until nobody asks any more."""
    os.dup2(2, 1)
    children: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "reap" in order:
            os.waitpid(order["reap"], 0)
            children.discard(order["reap"])
            os.write(ANSWERS, b"reaped\n")
            continue
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(work(order["start"]))
            finally:
                os._exit(1)
        children.add(child)
    for child in children:
        os.kill(child, 9)


if __name__ == "__main__":
    host()
