"""The shapes of answers: the seeds' names to the letter, and our additions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.events import as_utc
from contracts.messages import failure_sentence, status_message
from contracts.status import TERMINAL, JobStatus
from services.gateway.queries.attempts import AttemptView
from services.gateway.queries.batches import BatchView
from services.gateway.queries.generations import FileView, GenerationView, StatusView
from services.gateway.queries.jobs import JobView
from services.gateway.usecases.estimate_wait import NOTHING_KNOWN, Estimate

POLL_AFTER_MOST = 10
"""Seconds: nobody need wait longer to ask again."""


def poll_after(view: StatusView, eta_seconds: int | None, now: datetime | None = None) -> int | None:
    """Return the seconds after which asking again makes sense: a tenth of the job's age, or half of what is left."""
    if view.is_terminal:
        return None
    age = ((now or datetime.now(UTC)) - view.created_at).total_seconds()
    seconds = age / 10 if eta_seconds is None else min(age / 10, eta_seconds / 2)
    return max(1, min(POLL_AFTER_MOST, round(seconds)))


def status_body(view: StatusView, language: str, estimate: Estimate = NOTHING_KNOWN) -> dict[str, Any]:
    """Shape D1 and D2."""
    failure = view.failure
    return {
        "job_id": view.job_id,
        "status": view.status.value,
        "progress": view.progress,
        "stage": view.stage.value if view.stage else None,
        "message": view.message or status_message(view.kind, view.status, view.stage, language),
        "error_message": failure_sentence(failure, language) if failure else None,
        "failure": failure.model_dump(mode="json") if failure else None,
        "poll_after": poll_after(view, estimate.eta_seconds),
        "queue_position": estimate.queue_position,
        "eta_seconds": estimate.eta_seconds,
        "cancel_requested": view.cancel_requested,
        "preview_url": view.preview_url,
        "batch_id": view.batch_id,
        "parent_id": view.parent_id,
        "retry_of": view.retry_of,
        "created_at": as_utc(view.created_at),
    }


def created_body(view: StatusView, language: str) -> dict[str, Any]:
    """Return what the creation of a job is answered, now and whenever its idempotency key comes again."""
    return status_body(view, language) | ({} if view.is_terminal else {"poll_after": 1})


def job_body(job: JobView, language: str, estimate: Estimate = NOTHING_KNOWN) -> dict[str, Any]:
    """Return a job of any kind: its status and what was asked."""
    view = job.status
    return status_body(view, language, estimate) | {
        "kind": view.kind.name,
        "model": view.model,
        "prompt": job.prompt,
        "origin": job.origin,
        "priority": job.priority,
        "start_by": _moment(job.start_by),
        "finish_by": _moment(job.finish_by),
        "completed_at": _moment(job.completed_at),
    }


def attempt_body(attempt: AttemptView, language: str) -> dict[str, Any]:
    """Return one attempt: who tried, how it ended, and the provider's own words beside ours."""
    failure = attempt.failure
    return {
        "attempt": attempt.attempt,
        "provider": attempt.provider,
        "model": attempt.model,
        "started_at": as_utc(attempt.started_at),
        "ended_at": _moment(attempt.ended_at),
        "outcome": attempt.outcome,
        "charged": attempt.charged if attempt.outcome else None,
        "submits": attempt.submits,
        "operation_id": attempt.operation_id,
        "failure_code": attempt.failure_code,
        "error_message": failure_sentence(failure, language) if failure else None,
        "failure": failure.model_dump(mode="json") if failure else None,
    }


def batch_body(batch: BatchView) -> dict[str, Any]:
    """Return a batch: how many of its jobs stand where, and whether all have ended."""
    counts = {status.value: batch.counts.get(status.value, 0) for status in JobStatus}
    ended = sum(counts[status.value] for status in TERMINAL)
    return {
        "batch_id": batch.id,
        "total": batch.total,
        "counts": counts,
        "ended": ended >= batch.total,
        "cancel_requested": batch.cancelled_at is not None,
        "created_at": as_utc(batch.created_at),
        "cancelled_at": _moment(batch.cancelled_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return as_utc(moment) if moment else None


def file_body(file: FileView, public_url: str) -> dict[str, Any]:
    """Shape D4's item."""
    return {
        "id": file.id,
        "fileUrl": file.address(public_url),
        "format": file.format,
        "width": file.width,
        "height": file.height,
        "aspectRatio": file.aspect_ratio,
        "fileSize": file.file_size,
        **file.extra,
        "thumbnails": file.thumbnail_items(public_url),
        "placeholder": file.placeholder,
    }


def gallery_body(
    found: Sequence[GenerationView], public_url: str, cursor: str | None, *, paged: bool
) -> dict[str, Any]:
    """Shape D4; `nextCursor` only where there is more to ask for, or pages were asked for."""
    body: dict[str, Any] = {
        "success": True,
        "count": len(found),
        "generations": [generation_body(item, public_url) for item in found],
    }
    if paged or cursor:
        body["nextCursor"] = cursor
    return body


def generation_body(item: GenerationView, public_url: str) -> dict[str, Any]:
    """Shape D4's generation."""
    return {
        "id": item.id,
        "prompt": item.prompt,
        "status": item.status,
        item.kind.plural: [file_body(file, public_url) for file in item.files],
        "createdAt": as_utc(item.created_at),
        "completedAt": as_utc(item.completed_at) if item.completed_at else None,
        "model": item.model,
        "size": item.size,
        "style": item.style,
        "quality": item.quality,
        "source": "backend-direct" if item.origin == "backend-direct" else None,
    }


def result_body(item: GenerationView, public_url: str) -> dict[str, Any]:
    """Shape D3: D4's items with file name and description, and E1's metadata."""
    files = [
        file_body(file, public_url) | {"filename": file.filename, "description": file.description or item.prompt}
        for file in item.files
    ]
    metadata = {"model_name": item.model, **item.metadata}
    return {
        "job_id": item.id,
        "status": item.job_status.value,
        item.kind.plural: files,
        "metadata": metadata,
    }
