"""Outgoing webhooks in the standard dialect: their types, ids and payloads, `{type, timestamp, data}`."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.events import JobUpdated, as_utc
from contracts.failures import Failure
from contracts.kinds import KINDS
from contracts.messages import failure_sentence, status_message
from contracts.notifications import Notice, in_language, notice_for
from contracts.status import TERMINAL, JobStatus

JOB_PROGRESS = "job.progress"
JOB_COMPLETED = "job.completed"
JOB_FAILED = "job.failed"
JOB_CANCELLED = "job.cancelled"
JOB_TYPES = (JOB_PROGRESS, JOB_COMPLETED, JOB_FAILED, JOB_CANCELLED)
ENDPOINT_FAILING = "endpoint.failing"
ENDPOINT_DISABLED = "endpoint.disabled"
MESSAGE_EXHAUSTED = "message.exhausted"
TEST = "test"
TYPES = (*JOB_TYPES, ENDPOINT_FAILING, ENDPOINT_DISABLED, MESSAGE_EXHAUSTED, TEST)
"""What an endpoint may ask to hear of; a test is told whatever it asked for."""

_TYPE_OF_ENDING = {
    JobStatus.COMPLETED: JOB_COMPLETED,
    JobStatus.FAILED: JOB_FAILED,
    JobStatus.CANCELLED: JOB_CANCELLED,
}


def type_of(event: JobUpdated) -> str:
    """Return the webhook's type for a move of a job."""
    return _TYPE_OF_ENDING.get(event.status, JOB_PROGRESS)


def webhook_id(event_id: str) -> str:
    """Return the `webhook-id` of an event: the same for every endpoint and attempt, without a full stop."""
    # The signed text is id.timestamp.body: a full stop inside the id would make it ambiguous.
    return "evt_" + re.sub(r"[^A-Za-z0-9_-]", "_", event_id)


def payload(type_: str, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """Build the payload of any type."""
    return {"type": type_, "timestamp": as_utc(at), "data": dict(data)}


def job_payload(event: JobUpdated, *, thin: bool, public_url: str) -> dict[str, Any]:
    """Say how a job moved; thin says only which job, and where to read the rest."""
    kind = KINDS[event.kind]
    data: dict[str, Any] = {
        "job_id": event.job_id,
        "kind": event.kind,
        "status": event.status.value,
        "seq": event.seq,
        "url": f"{public_url.rstrip('/')}/api/{kind.plural}/{event.job_id}/status",
    }
    if not thin:
        data |= {
            "user_id": event.user_id,
            "organization_id": event.organization_id,
            "stage": event.stage.value if event.stage else None,
            "progress": event.progress,
            "message": event.message or status_message(kind, event.status, event.stage),
            "created_at": as_utc(event.created_at),
        }
        if event.status in TERMINAL:
            data |= _outcome(event, kind.plural)
    return payload(type_of(event), event.at, data)


def sentence(notice: Notice, type_: str, url: str | None = None) -> dict[str, Any]:
    """Build what a channel for people is told."""
    return {"type": type_, "title": notice.title, "message": notice.message, "url": url}


def job_sentence(event: JobUpdated, language: str) -> dict[str, Any] | None:
    """Say how a job ended; None for what people need not be told: its steps, and that they called it off."""
    notice = notice_for(KINDS[event.kind], event.status, len(event.files), event.failure)
    if notice is None:
        return None
    return sentence(in_language(notice, language), type_of(event), event.files[0].url if event.files else None)


def digest_of(sentences: Sequence[Mapping[str, Any]], language: str) -> tuple[str, str]:
    """Return title and text of one message that tells all of these."""
    lines = [" ".join(filter(None, [one["message"], one["url"]])) for one in sentences]
    if len(sentences) == 1:
        return sentences[0]["title"], lines[0]
    title = {"fr": "Sorami : {n} nouvelles", "en": "Sorami: {n} messages"}[language].format(n=len(sentences))
    return title, "\n".join(f"• {one['title']} : {line}" for one, line in zip(sentences, lines, strict=True))


def _outcome(event: JobUpdated, plural: str) -> dict[str, Any]:
    if event.failure is not None:
        return {"error_message": failure_sentence(event.failure), "failure": _failure(event.failure)}
    files = [file.model_dump(mode="json", exclude_none=True) for file in event.files]
    return {plural: files, "metadata": event.metadata or {}}


def _failure(failure: Failure) -> dict[str, Any]:
    # A provider's own words may name accounts and internals: whoever owns the job reads them in the API.
    return {
        "code": failure.code.value,
        "message": failure_sentence(failure),
        "retryable": failure.retryable,
        "charged": failure.charged,
        "stage": failure.stage,
        "filtered": failure.filtered.model_dump(mode="json") if failure.filtered else None,
    }
