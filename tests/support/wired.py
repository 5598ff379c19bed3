"""The services wired as `build_app` wires them, in one process over a real database; records go by hand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx

from contracts.cloudevents import judge
from contracts.models import BUILT_IN
from services.gateway.app import build_app as build_gateway
from services.gateway.app import build_media, build_resolve_input
from services.gateway.parts import Parts as GatewayParts
from services.gateway.settings import GatewaySettings
from services.gateway.store.jobs import NO_LIMITS
from services.gateway.usecases.accept_backend_webhook import AcceptBackendWebhook
from services.gateway.usecases.await_jobs import AwaitJobs
from services.gateway.usecases.cancel_jobs import CancelJobs
from services.gateway.usecases.estimate_wait import EstimateWait
from services.gateway.usecases.hear_provider import HearProvider
from services.gateway.usecases.request_batch import RequestBatch
from services.gateway.usecases.request_generation import RequestGeneration
from services.gateway.usecases.retry_job import RetryJob
from services.gateway.usecases.search_prompts import SearchPrompts
from services.gateway.usecases.settle_dead_letters import SettleDeadLetters
from services.gateway.usecases.settle_orphan import SettleOrphan
from services.gateway.usecases.watch_providers import WatchProviders
from services.generator.app import RemoteParts
from services.generator.app import build_app as build_generator
from services.generator.handlers import subscribe as subscribe_generator
from services.generator.providers.instant import InstantProvider
from services.generator.settings import GeneratorSettings
from services.persistence.app import build_app as build_persistence
from services.persistence.handlers import subscribe as subscribe_persistence
from services.persistence.settings import PersistenceSettings
from services.runtime.consumer import DeadLetter, Incoming, Received, Route
from services.runtime.identity import Caller
from services.runtime.outbox import OutboxRow
from services.runtime.signed_objects import SignedObjects
from services.runtime.signed_urls import UrlSigner


class Hands:
    """Stands where the relay stands: it keeps what was offered until a test hands it on, in any order it likes."""

    def __init__(self) -> None:
        self.rows: list[OutboxRow] = []
        self.routes: list[Route] = []
        self.buried: list[DeadLetter] = []
        self._offered = asyncio.Event()

    def offer(self, rows: Sequence[OutboxRow]) -> None:
        self.rows += rows
        self._offered.set()

    async def heard(self, topic: str) -> OutboxRow:
        """Return the first row of a topic, waiting until it is offered."""
        async with asyncio.timeout(20):
            while True:
                found = [row for row in self.rows if row.topic == topic]
                if found:
                    return found[0]
                self._offered.clear()
                await self._offered.wait()

    def batches(self, *routes: Route) -> None:
        self.routes += routes

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        self.buried += letters

    async def hand_on(self, rows: Sequence[OutboxRow] | None = None) -> None:
        """Give rows (or all that wait) to every handler of their topics, a batch a handler."""
        if rows is None:
            rows, self.rows = self.rows, []
        for route in self.routes:
            received = [
                Received(row.topic, 0, row.id, row.key.encode(), row.value, dict(row.headers))
                for row in rows
                if row.topic in route.topics
            ]
            if received:
                await route.handle([Incoming(judge(record), record) for record in received])


class _Objects:
    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}

    async def put(self, key: str, body: bytes | Path, *, content_type: str, sha256: str) -> None:
        self.stored[key] = body if isinstance(body, bytes) else await asyncio.to_thread(body.read_bytes)


class _EveryToken:
    """Takes the token itself for the user's id."""

    async def of_bearer(self, token: str) -> Caller:
        return Caller(token)


class Wired:
    """The services, and the hands between them."""

    def __init__(self, pool: Any, hands: Hands, gateway: httpx.AsyncClient, generator: Any, objects: _Objects) -> None:
        self.pool = pool
        self.hands = hands
        self.gateway = gateway
        self.generator = generator
        self.objects = objects

    async def until_completed(self) -> None:
        """Hand records on until the last of them says that the job is done."""
        await self.hands.hand_on()
        await self.hands.heard("job.completed")
        await self.hands.hand_on()


@asynccontextmanager
async def wired(url: str, remote: RemoteParts | None = None, **of_generator: Any) -> AsyncIterator[Wired]:
    """Wire everything over a migrated database, with these remote providers."""
    models = remote.models if remote else BUILT_IN
    environment = {"database_url": url, "public_url": "http://test"}
    hands, objects = Hands(), _Objects()
    async with asyncpg.create_pool(url, min_size=1, max_size=6) as pool:
        relay = cast(Any, hands)
        settings = GatewaySettings(**cast(Any, environment), webhook_secret="s")
        signer = UrlSigner(settings, lambda: None)
        media = build_media(settings, pool, signer, SignedObjects(signer), CancelJobs(pool, hands.offer))
        resolve_input = build_resolve_input(settings, pool, media.finish_upload)
        request_generation = RequestGeneration(
            pool, hands.offer, lifetime=timedelta(hours=1), resolve_input=resolve_input, models=models
        )
        accept_backend_webhook = AcceptBackendWebhook(pool, hands.offer, orphans="adopt")
        gateway = build_gateway(
            GatewayParts(
                settings=settings,
                pool=pool,
                identities=cast(Any, _EveryToken()),
                verifier=None,
                request_generation=request_generation,
                request_batch=RequestBatch(
                    pool,
                    hands.offer,
                    lifetime=timedelta(hours=1),
                    limits=NO_LIMITS,
                    resolve_input=resolve_input,
                    models=models,
                ),
                retry_job=RetryJob(pool, request_generation),
                cancel_jobs=CancelJobs(pool, hands.offer),
                await_jobs=AwaitJobs(pool),
                estimate_wait=EstimateWait(pool, settings.shares),
                accept_backend_webhook=accept_backend_webhook,
                hear_provider=HearProvider(pool, hands.offer),
                look_at_health=cast(Any, None),
                settle_dead_letters=SettleDeadLetters(pool, hands.offer),
                settle_orphan=SettleOrphan(pool, accept_backend_webhook),
                search_prompts=SearchPrompts(pool),
                shares=cast(Any, None),
                signer=signer,
                streams=None,
                checks={},
                media=media,
                models=models,
                watch_providers=WatchProviders(pool, models),
            )
        )
        generator = build_generator(
            GeneratorSettings(**cast(Any, environment | of_generator)),
            pool,
            relay,
            cast(Any, objects),
            {"instant": InstantProvider()},
            cast(Any, None),
            worker="test",
            remote=remote,
        )
        persistence = build_persistence(PersistenceSettings(**cast(Any, environment)), pool, relay, hands.bury)
        subscribe_generator(cast(Any, hands), generator)
        subscribe_persistence(cast(Any, hands), persistence)
        work = asyncio.gather(
            generator.run_tasks.run(),
            generator.poll_tasks.run(),
            generator.end_operations.run(),
            generator.watch_health.run(),
        )
        transport = httpx.ASGITransport(app=gateway)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                yield Wired(pool, hands, client, generator, objects)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
