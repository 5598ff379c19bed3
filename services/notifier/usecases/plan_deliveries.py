"""Plan deliveries: a row for each endpoint that wants to hear of a move, before anything is sent."""

import json
from collections.abc import Callable, Mapping, Sequence

from contracts.events import JobUpdated, event_id
from contracts.ids import new_id
from contracts.kinds import KINDS
from contracts.legacy_webhook import LegacyUpdate, webhook_payload
from contracts.status import TERMINAL, JobStatus
from services.notifier import queries, store
from services.runtime.database import Pool
from services.runtime.logs import get_logger

_log = get_logger(part="plan")


def legacy_endpoint(kind: str) -> str:
    """Return the name of the seeds' endpoint of a kind."""
    return f"legacy:{kind}"


class PlanDeliveries:
    """The use case behind job.updated for whoever is told by webhook."""

    def __init__(
        self,
        pool: Pool,
        legacy_urls: Mapping[str, str],
        *,
        environment: str,
        forgotten_after: float,
        wake: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._kinds = frozenset(legacy_urls)
        self._environment = environment
        self._forgotten_after = forgotten_after
        self._wake = wake

    async def __call__(self, events: Sequence[JobUpdated]) -> None:
        wanted = [event for event in events if event.kind in self._kinds]
        if not wanted:
            return
        about = await queries.about_jobs(self._pool, list({event.job_id for event in wanted}))
        deliveries = [await self._delivery(event, about[event.job_id]) for event in wanted if event.job_id in about]
        if await store.plan(self._pool, deliveries):
            self._wake()

    async def recover(self) -> None:
        """Plan the endings whose job.updated was never heard."""
        for kind in self._kinds:
            found = await store.unplanned_endings(self._pool, legacy_endpoint(kind), kind, self._forgotten_after)
            if found:
                _log.warning("endings nobody was told are planned", kind=kind, count=len(found))
                await self([JobUpdated.model_validate_json(data) for data in found])

    async def _delivery(self, event: JobUpdated, about: queries.AboutJob) -> store.NewDelivery:
        completed = event.status is JobStatus.COMPLETED
        files = await queries.legacy_files(self._pool, event, about.prompt) if completed else []
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
        return store.NewDelivery(
            id=new_id(),
            endpoint=legacy_endpoint(event.kind),
            event_id=event_id(event),
            job_id=event.job_id,
            seq=event.seq,
            type=event.TOPIC.name,
            payload=json.dumps(payload, ensure_ascii=False),
            ends_job=event.status in TERMINAL,
        )
