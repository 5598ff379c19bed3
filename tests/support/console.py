"""The notifier's console in one process over a real database: its routes and use cases, without a broker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import httpx

from services.notifier.app import build_app
from services.notifier.channels.apprise import AppriseChannels
from services.notifier.channels.streams import Hub
from services.notifier.channels.webhooks import WebhookSender
from services.notifier.parts import Parts
from services.notifier.settings import NotifierSettings
from services.notifier.usecases.deliver_webhooks import DeliverWebhooks
from services.notifier.usecases.job_endpoints import JobEndpoints
from services.notifier.usecases.judge_endpoints import JudgeEndpoints
from services.notifier.usecases.manage_endpoints import ManageEndpoints
from services.notifier.usecases.plan_deliveries import PlanDeliveries
from services.notifier.usecases.send_again import SendAgain
from services.notifier.usecases.stream_tickets import StreamTickets
from services.notifier.usecases.watch_jobs import WatchJobs
from services.runtime.identity import Caller
from services.runtime.sealing import Sealer
from services.runtime.webhook_addresses import AddressRules

ORGANIZATION = "org_1"


class EveryToken:
    """Takes the token itself for the user's id; everybody is of one organisation."""

    session_cookie = "sorami_session"

    async def of_bearer(self, token: str) -> Caller:
        return Caller(token, ORGANIZATION)


@asynccontextmanager
async def console(
    url: str, *, allowed: frozenset[tuple[str, int]] = frozenset(), sealed: bool = True, **settings: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, Parts]]:
    """Wire the notifier over a migrated database and give a client that calls as `someone`."""
    given = NotifierSettings(**cast(Any, {"database_url": url, "public_url": "http://test", **settings}))
    sealer = Sealer([("test", bytes(32))]) if sealed else None
    sender = WebhookSender(allowed, given.webhook_seconds)
    async with asyncpg.create_pool(url, min_size=1, max_size=6) as pool:
        hub = Hub()
        rules = AddressRules(allowed, https_only=given.environment == "production", own_host="test")
        channels = AppriseChannels(given.channels, allowed)
        deliver = DeliverWebhooks(
            pool,
            sender,
            JudgeEndpoints(pool, lambda rows: None),
            sealer,
            channels,
            operators={},
            send_seconds=given.webhook_seconds,
        )
        job_endpoints = JobEndpoints(pool, sealer)
        plan = PlanDeliveries(
            pool, job_endpoints, {}, environment="test", public_url="http://test", forgotten_after=1, wake=deliver.wake
        )
        parts = Parts(
            settings=given,
            pool=pool,
            identities=cast(Any, EveryToken()),
            hub=hub,
            watch_jobs=WatchJobs(pool, hub),
            stream_tickets=StreamTickets(pool),
            plan_deliveries=plan,
            deliver_webhooks=deliver,
            manage_endpoints=ManageEndpoints(pool, sealer, rules, channels) if sealer else None,
            job_endpoints=job_endpoints,
            send_again=SendAgain(pool, plan, deliver.wake),
            checks={},
        )
        transport = httpx.ASGITransport(app=build_app(parts))
        headers = {"Authorization": "Bearer someone"}
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
                yield client, parts
        finally:
            await sender.close()
