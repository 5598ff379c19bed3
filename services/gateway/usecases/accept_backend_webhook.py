"""Accept what a backend of the seeds reports: for a job of ours an event, for an unknown one a careful adoption."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from contracts.cloudevents import Record, to_record
from contracts.events import JobCompleted, JobFailed, JobProgressed
from contracts.ids import new_id
from contracts.legacy_steps import BYPASSED, Steps
from contracts.legacy_webhook import BACKEND, BackendReport
from contracts.status import STAGE_PROGRESS, TERMINAL, JobStatus
from services.gateway.metrics import count_inserts
from services.gateway.queries import people, reports
from services.gateway.store.jobs import NewJob, insert_jobs
from services.gateway.store.reports import INSERT_ORPHAN, put_report
from services.runtime.database import Pool
from services.runtime.logs import get_logger
from services.runtime.outbox import OutboxRow

DEFAULT_MODEL = "gemini-2.5-flash-image"
OrphanPolicy = Literal["adopt", "first-user", "reject"]

_log = get_logger(part="backend webhook")


@dataclass(frozen=True, slots=True)
class Taken:
    """The report became an event."""


@dataclass(frozen=True, slots=True)
class IgnoredReport:
    """The report changes nothing: the job had ended, or progress of a job nobody knows."""

    state: str


@dataclass(frozen=True, slots=True)
class Parked:
    """Nobody knows whose job this is; an operator decides."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The job is unknown, and the operator chose to refuse such reports."""


Outcome = Taken | IgnoredReport | Parked | Refused


class AcceptBackendWebhook:
    """The use case behind POST /api/webhooks/{kind}-completion."""

    def __init__(self, pool: Pool, offer: Callable[[Sequence[OutboxRow]], None], *, orphans: OrphanPolicy) -> None:
        self._pool = pool
        self._offer = offer
        self._orphans = orphans

    async def __call__(self, report: BackendReport, body: Mapping[str, Any], traceparent: str | None) -> Outcome:
        """Decide one report; the same one again, at once or later, changes nothing."""
        began = time.perf_counter()
        steps = Steps(report.kind)
        log = _log.bind(job_id=report.job_id)
        log.info(steps.received)
        log.info(
            steps.payload,
            status=report.status,
            has_data=body.get("data") is not None,
            **{steps.count_field: len(report.files)},
        )
        outcome = await self._decide(report, body, traceparent)
        log.info(steps.done((time.perf_counter() - began) * 1000), outcome=type(outcome).__name__)
        return outcome

    async def _decide(self, report: BackendReport, body: Mapping[str, Any], traceparent: str | None) -> Outcome:
        job = await reports.known_job(self._pool, report.kind, report.job_id)
        steps = Steps(report.kind)
        if job is not None:
            _log.info(steps.found, job_id=job.job_id)
            if job.status in TERMINAL:
                return IgnoredReport(job.status.value)
            record = _event(report, job.job_id, traceparent)
            self._offer(await put_report(self._pool, record, ends_job=report.stage is None))
            return Taken()
        return await self._decide_unknown(report, body, traceparent)

    async def _decide_unknown(self, report: BackendReport, body: Mapping[str, Any], traceparent: str | None) -> Outcome:
        made = await reports.application_generation(self._pool, report.kind, report.job_id)
        steps = Steps(report.kind)
        if made is not None:
            _log.info(steps.found, job_id=report.job_id)
        else:
            _log.warning(steps.not_found(report.job_id))
            _log.info(BYPASSED)
        if made is not None and made["status"] in (JobStatus.COMPLETED, JobStatus.FAILED):
            return IgnoredReport(made["status"])
        if made is not None:
            return await self._adopt(report, made["owner_id"], made["organization_id"], made["prompt"], traceparent)
        if report.stage is not None:
            return IgnoredReport("unknown")
        owner = await self._owner(report)
        if owner is None:
            return Refused() if self._orphans == "reject" else await self._park(report, body, "user_unknown")
        if await reports.has_open_submit(self._pool, owner["user_id"]):
            # The backend may be answering a submit of ours under an id of its own: two rows would follow.
            return await self._park(report, body, "submit_open")
        return await self._adopt(report, owner["user_id"], owner["organization_id"], _told_prompt(report), traceparent)

    async def adopt_for(self, report: BackendReport, owner_id: str, organization_id: str | None) -> Outcome:
        """Adopt a report that was parked as this person's; what became a job meanwhile hears it as any other."""
        if await reports.known_job(self._pool, report.kind, report.job_id) is not None:
            return await self._decide(report, {}, None)
        return await self._adopt(report, owner_id, organization_id, _told_prompt(report), None)

    async def _owner(self, report: BackendReport) -> Any:
        owner = await people.person(self._pool, report.user_id) if report.user_id else None
        if owner is None and self._orphans == "first-user":
            owner = await people.first_person(self._pool)
        return owner

    async def _adopt(
        self,
        report: BackendReport,
        owner_id: str,
        organization_id: str | None,
        prompt: str | None,
        traceparent: str | None,
    ) -> Outcome:
        steps = Steps(report.kind)
        _log.info(steps.creating, job_id=report.job_id)
        record = _event(report, report.job_id, traceparent)
        job = _adopted_job(report, owner_id, organization_id, prompt, record)
        inserted = await insert_jobs(self._pool, [job])
        count_inserts([job], inserted)
        if inserted[job.id].created_at is not None:
            _log.info(steps.created_by_webhook, id=job.id, authorId=owner_id)
        elif await reports.known_job(self._pool, report.kind, report.job_id) is None:
            return Parked("generation_not_pending")
        self._offer([row.outbox for row in inserted.values() if row.outbox is not None])
        return Taken()

    async def _park(self, report: BackendReport, body: Mapping[str, Any], reason: str) -> Outcome:
        await self._pool.execute(
            INSERT_ORPHAN,
            new_id(),
            report.kind.name,
            report.job_id,
            report.status,
            json.dumps(dict(body)),
            reason,
        )
        return Parked(reason)


def _told_prompt(report: BackendReport) -> str | None:
    return report.original_prompt or next((f.description for f in report.files if f.description), None)


def _event(report: BackendReport, job_id: str, traceparent: str | None) -> Record:
    now = datetime.now(UTC)
    event: JobCompleted | JobFailed | JobProgressed
    if report.failure is not None:
        event = JobFailed(job_id=job_id, kind=report.kind.name, at=now, provider=BACKEND, failure=report.failure)
    elif report.stage is not None:
        progress = report.progress if report.progress is not None else STAGE_PROGRESS[report.stage]
        event = JobProgressed(
            job_id=job_id,
            kind=report.kind.name,
            at=now,
            provider=BACKEND,
            stage=report.stage,
            progress=progress,
            message=report.message[:500] if report.message else None,
        )
    else:
        event = JobCompleted(
            job_id=job_id,
            kind=report.kind.name,
            at=now,
            provider=BACKEND,
            files=list(report.files),
            metadata=dict(report.metadata),
        )
    return to_record(event, service="gateway", traceparent=traceparent)


def _adopted_job(
    report: BackendReport, owner_id: str, organization_id: str | None, prompt: str | None, record: Record
) -> NewJob:
    kind = report.kind
    first = report.files[0] if report.files else None
    size = f"{first.width}x{first.height}" if first and first.width and first.height else kind.default_size
    numbers = {
        number.name: (getattr(first, number.name, None) if first else None) or number.default for number in kind.numbers
    }
    model = report.metadata.get("model_name")
    return NewJob(
        id=report.job_id,
        kind=kind,
        owner_id=owner_id,
        organization_id=organization_id,
        origin="backend-direct",
        prompt=prompt or kind.orphan_prompt,
        model=model if isinstance(model, str) and model else DEFAULT_MODEL,
        provider=BACKEND,
        count=max(1, len(report.files)),
        size=size,
        format=first.format if first else kind.default_format,
        style=None,
        quality="standard",
        input_image_url=None,
        # What a backend reported is what would be sent again if Kafka forgot it.
        request=record.value.decode(),
        request_hash="",
        numbers=json.dumps(numbers),
        record=record,
    )
