"""Plan deliveries: a row for each endpoint that wants to hear of a move, before anything is sent."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.events import JobUpdated, event_id
from contracts.ids import new_id
from contracts.kinds import KINDS
from contracts.legacy_webhook import LegacyUpdate, webhook_payload
from contracts.status import TERMINAL, JobStatus
from contracts.webhooks import JOB_PROGRESS, job_payload, job_sentence, type_of
from services.notifier.queries import endpoints as endpoint_queries
from services.notifier.queries import streams as job_queries
from services.notifier.store import deliveries as store
from services.notifier.store.endpoints import Endpoint
from services.notifier.usecases.job_endpoints import JobEndpoints
from services.runtime.database import Pool
from services.runtime.logs import get_logger

_DAY = 86_400.0
# A transaction that wrote an ending may commit this much later than the moment it carries.
_LATE_COMMIT = timedelta(seconds=30)

_log = get_logger(part="plan")


def legacy_endpoint(kind: str) -> str:
    """Return the name of the operator's endpoint of a kind."""
    return f"legacy:{kind}"


@dataclass(frozen=True, slots=True)
class Wish:
    """An event that is to be told to an endpoint; without `endpoint` it is the operator's own. `url` is the job's."""

    event: JobUpdated
    endpoint: Endpoint | None = None
    url: str | None = None
    traceparent: str | None = None

    @property
    def name(self) -> str:
        return self.endpoint.id if self.endpoint else legacy_endpoint(self.event.kind)

    @property
    def in_sentences(self) -> bool:
        return self.endpoint is not None and self.endpoint.dialect == "apprise"

    @property
    def in_the_seeds_words(self) -> bool:
        return self.endpoint is None or self.endpoint.dialect == "legacy"


class PlanDeliveries:
    """The use case behind job.updated for whoever is told by webhook."""

    def __init__(
        self,
        pool: Pool,
        job_endpoints: JobEndpoints,
        legacy_urls: Mapping[str, str],
        *,
        environment: str,
        public_url: str,
        shared_database: bool = False,
        forgotten_after: float,
        wake: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._job_endpoints = job_endpoints
        self._kinds = frozenset(legacy_urls)
        self._environment = environment
        self._public_url = public_url
        self._shared_database = shared_database
        self._forgotten_after = forgotten_after
        self._wake = wake
        self._looked_until: datetime | None = None

    async def __call__(self, events: Sequence[JobUpdated], traces: Sequence[str | None] = ()) -> None:
        """Plan what these moves mean to all who listen; `traces` are the contexts they came with."""
        trace_of = {event.job_id: trace for event, trace in zip(events, traces, strict=False)}
        wishes = [replace(wish, traceparent=trace_of.get(wish.event.job_id)) for wish in await self._wishes(events)]
        if await self.plan(wishes):
            self._wake()

    async def plan(self, wishes: Iterable[Wish]) -> int:
        """Write deliveries and return how many are new."""
        latest = await self._addressed(_without_old_progress(wishes))
        if not latest:
            return 0
        flat = [wish for wish in latest if wish.in_the_seeds_words]
        about = await job_queries.about_jobs(self._pool, list({wish.event.job_id for wish in flat})) if flat else {}
        deliveries = []
        for wish in latest:
            if wish.endpoint is not None and wish.in_sentences:
                sentence = job_sentence(wish.event, wish.endpoint.language)
                if sentence is not None:
                    deliveries.append(self._delivery(wish, json.dumps(sentence, ensure_ascii=False)))
            elif not wish.in_the_seeds_words:
                deliveries.append(self._delivery(wish, self._standard(wish)))
            elif wish.event.job_id in about and self._is_news(wish, about[wish.event.job_id]):
                deliveries.append(self._delivery(wish, await self._legacy(wish.event, about[wish.event.job_id])))
        return await store.plan(self._pool, deliveries)

    def _is_news(self, wish: Wish, about: job_queries.AboutJob) -> bool:
        """Tell whether the operator's application does not read the row itself: told, it would write it once more."""
        return wish.endpoint is not None or self._shared_database or not about.made_by_application

    async def recover(self) -> None:
        """Plan the endings whose job.updated was never heard."""
        since = self._looked_until or await endpoint_queries.moment(self._pool, _DAY)
        until = await endpoint_queries.moment(self._pool, self._forgotten_after)
        wishes: list[Wish] = []
        for kind in self._kinds:
            found = await endpoint_queries.unplanned_of_operator(
                self._pool, legacy_endpoint(kind), kind, self._forgotten_after, since, shared=self._shared_database
            )
            wishes += [Wish(event) for event in found]
        await self._job_endpoints.of_the_forgotten(self._forgotten_after, since)
        unplanned = await endpoint_queries.unplanned(self._pool, self._forgotten_after, since)
        endpoints = await endpoint_queries.by_ids(self._pool, {endpoint for endpoint, _ in unplanned})
        wishes += [Wish(event, endpoints[endpoint]) for endpoint, event in unplanned if endpoint in endpoints]
        if await self.plan(wishes):
            _log.warning("endings nobody was told are planned", count=len(wishes))
            self._wake()
            return
        self._looked_until = until - _LATE_COMMIT

    async def _wishes(self, events: Sequence[JobUpdated]) -> list[Wish]:
        """Say who wants to hear of what."""
        wishes = [Wish(event) for event in events if event.kind in self._kinds]
        for endpoint in await endpoint_queries.subscribers(self._pool, events):
            wishes += [
                Wish(event, endpoint)
                for event in events
                if _belongs(event, endpoint) and endpoint.wants(type_of(event), event.kind)
            ]
        return wishes + await self._wishes_of_jobs(events)

    async def _wishes_of_jobs(self, events: Sequence[JobUpdated]) -> list[Wish]:
        """Say which jobs brought an address of their own for this."""
        brought = await endpoint_queries.job_webhooks(self._pool, {event.job_id for event in events})
        if not brought:
            return []
        told = [event for event in events if event.job_id in brought and brought[event.job_id].wants(type_of(event))]
        senders = await self._job_endpoints.of({event.user_id for event in told})
        return [
            Wish(event, senders[event.user_id], brought[event.job_id].url)
            for event in told
            if event.user_id in senders
            and senders[event.user_id].state == "enabled"
            and senders[event.user_id].wants(type_of(event), event.kind)
        ]

    async def _addressed(self, wishes: list[Wish]) -> list[Wish]:
        """Add the addresses of jobs to wishes that were found in the rows."""
        without = {wish.event.job_id for wish in wishes if wish.endpoint and wish.endpoint.per_job and not wish.url}
        brought = await endpoint_queries.job_webhooks(self._pool, without) if without else {}
        found = [
            replace(wish, url=brought[wish.event.job_id].url)
            if wish.endpoint and wish.endpoint.per_job and not wish.url and wish.event.job_id in brought
            else wish
            for wish in wishes
        ]
        return [wish for wish in found if wish.url or not (wish.endpoint and wish.endpoint.per_job)]

    def _delivery(self, wish: Wish, payload: str) -> store.NewDelivery:
        event, type_ = wish.event, type_of(wish.event)
        ours = wish.endpoint is not None
        return store.NewDelivery(
            id=new_id(),
            endpoint=wish.name,
            event_id=event_id(event),
            job_id=event.job_id,
            kind=event.kind,
            seq=event.seq,
            type=type_,
            payload=payload,
            # The operator's own application hears every step, as the seeds' backend told them.
            supersedes=event.status in TERMINAL or ours,
            throttled=ours and type_ == JOB_PROGRESS,
            url=wish.url,
            digest=wish.endpoint.digest_seconds if wish.endpoint else 0,
            traceparent=wish.traceparent,
        )

    def _standard(self, wish: Wish) -> str:
        thin = wish.endpoint is not None and wish.endpoint.thin
        return json.dumps(job_payload(wish.event, thin=thin, public_url=self._public_url), ensure_ascii=False)

    async def _legacy(self, event: JobUpdated, about: job_queries.AboutJob) -> str:
        completed = event.status is JobStatus.COMPLETED
        files = await job_queries.legacy_files(self._pool, event, about.prompt) if completed else []
        payload = webhook_payload(
            LegacyUpdate(
                kind=KINDS[event.kind],
                job_id=event.job_id,
                user_id=about.user_id,
                status=event.status,
                stage=event.stage,
                progress=event.progress,
                at=event.at,
                environment=self._environment,
                prompt=about.prompt,
                message=event.message,
                failure=event.failure,
                files=files,
                metadata=event.metadata or {},
            )
        )
        return json.dumps(payload, ensure_ascii=False)


def _belongs(event: JobUpdated, endpoint: Endpoint) -> bool:
    if endpoint.organization_id is not None:
        return event.organization_id == endpoint.organization_id
    return event.user_id == endpoint.owner_id


def _without_old_progress(wishes: Iterable[Wish]) -> list[Wish]:
    """Leave out, for people's endpoints, progress that something newer in the same batch makes pointless."""
    wishes = list(wishes)
    newest: dict[tuple[str, str], int] = {}
    for wish in wishes:
        place = (wish.name, wish.event.job_id)
        newest[place] = max(newest.get(place, 0), wish.event.seq)
    return [
        wish
        for wish in wishes
        if wish.endpoint is None
        or type_of(wish.event) != JOB_PROGRESS
        or wish.event.seq == newest[(wish.name, wish.event.job_id)]
    ]
