"""The shapes of answers: the seeds' names to the letter, and our additions."""

from collections.abc import Sequence
from typing import Any

from contracts.events import as_utc
from contracts.messages import failure_sentence, status_message
from services.gateway.queries.generations import FileView, GenerationView, StatusView

POLL_AFTER_SECONDS = 1


def status_body(view: StatusView, language: str) -> dict[str, Any]:
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
        "poll_after": None if view.is_terminal else POLL_AFTER_SECONDS,
        "created_at": as_utc(view.created_at),
    }


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
