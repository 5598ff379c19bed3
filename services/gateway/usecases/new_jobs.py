"""From a valid request to the job that is inserted: its id, its event and its deadlines."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from contracts.abilities import choose
from contracts.cloudevents import to_record
from contracts.events import JobRequested
from contracts.ids import new_id
from contracts.models import Models
from contracts.requests import Wanted
from services.gateway.store.jobs import KeyClaim, NewJob
from services.runtime.identity import Caller


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks and how: the caller, the trace, the language of the answer and the idempotency key, if there is one."""

    caller: Caller
    language: str = "fr"
    traceparent: str | None = None
    key: str | None = None


class KeyReused(Exception):
    """The idempotency key stands for another request; choose another."""


def request_hash(what: str, *parts: str | None) -> str:
    """Hash what an idempotency key was used for, so that the same key with another body can be told apart."""
    return hashlib.sha256(json.dumps([what, *parts]).encode()).hexdigest()


def new_job(
    asking: Asking,
    wanted: Wanted,
    lifetime: timedelta,
    models: Models,
    *,
    batch_id: str | None = None,
    retry_of: str | None = None,
) -> NewJob:
    """Build the job; raises ModelUnknown, ModelRetired and ModelCannot."""
    caller = asking.caller
    choice = choose(wanted, models)
    model = choice.model
    now = datetime.now(UTC)
    finish_within = min(wanted.finish_within or lifetime.total_seconds(), lifetime.total_seconds())
    event = JobRequested(
        job_id=wanted.job_id or new_id(),
        kind=wanted.kind.name,
        at=now,
        user_id=caller.user_id,
        organization_id=caller.organization_id,
        prompt=wanted.prompt,
        model=model.id,
        fallbacks=list(choice.fallbacks),
        count=wanted.count,
        size=wanted.size,
        format=wanted.format,
        style=wanted.style,
        quality=wanted.quality,
        input_image_url=wanted.input_image_url,
        options=dict(wanted.options),
        priority=wanted.priority,
        # By our clock, for generators without our tables; the rows have the database's.
        start_by=now + timedelta(seconds=wanted.start_within) if wanted.start_within else None,
        finish_by=now + timedelta(seconds=finish_within),
    )
    record = to_record(event, service="gateway", traceparent=asking.traceparent)
    return NewJob(
        id=event.job_id,
        kind=wanted.kind,
        owner_id=caller.user_id,
        organization_id=caller.organization_id,
        origin="api",
        prompt=wanted.prompt,
        model=model.id,
        provider=model.provider,
        count=wanted.count,
        size=wanted.size,
        format=wanted.format,
        style=wanted.style,
        quality=wanted.quality,
        input_image_url=wanted.input_image_url,
        request=record.value.decode(),
        request_hash=wanted.digest(),
        numbers=json.dumps(dict(wanted.options)),
        record=record,
        start_within=wanted.start_within,
        finish_within=finish_within,
        priority=wanted.priority,
        batch_id=batch_id,
        parent_id=wanted.parent_id,
        retry_of=retry_of,
        webhook={"url": wanted.webhook_url, "event_types": wanted.webhook_events} if wanted.webhook_url else None,
    )


def claimed(asking: Asking, jobs: Sequence[NewJob], digest: str) -> list[NewJob]:
    """Return the jobs, the first of them with the caller's idempotency key, which stands for them all."""
    if asking.key is None:
        return list(jobs)
    made = [
        {"job_id": job.id, "kind": job.kind.name, "parent_id": job.parent_id, "retry_of": job.retry_of} for job in jobs
    ]
    claim = KeyClaim(asking.key, digest, jobs[0].batch_id, asking.language, made)
    return [replace(jobs[0], claim=claim), *jobs[1:]]
