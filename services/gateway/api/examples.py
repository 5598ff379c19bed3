"""One body for every operation that takes one, as the document shows it; a test sends each of them."""

from typing import Any

JOB = "cm4abc123def456ghi789"
"""The seeds' own example of an id."""
KEY = "sk_sorami_4f9k2_paste-your-own-key-here"

_IMAGE = {
    "file_path": f"images/{JOB}/image_1.png",
    "url": "https://s3.amazonaws.com/bucket/image_1.png",
    "description": "Un chat mignon avec des lunettes de soleil",
    "format": "PNG",
    "size_bytes": 524288,
    "dimensions": "1024x1024",
}
_METADATA = {"model_name": "gemini-2.5-flash-image", "version": "1.0", "generation_time_seconds": 12.5}


def _completed(files: dict[str, Any]) -> dict[str, Any]:
    at = "2025-10-23T14:30:00.000Z"
    data = {"job_id": JOB, **files, "metadata": _METADATA, "status": "completed", "generated_at": at}
    return {"job_id": JOB, "status": "completed", "timestamp": at, "environment": "development", "data": data}


EXAMPLES: dict[str, Any] = {
    "request_image": {
        "prompt": "Un chat mignon avec des lunettes de soleil",
        "num_images": 1,
        "size": "1024x1024",
        "format": "PNG",
        "style": "illustration",
        "quality": "high",
    },
    "request_video": {
        "prompt": "Des vagues lentes au crépuscule",
        "size": "1280x720",
        "duration_seconds": 4,
        "fps": 24,
    },
    "request_batch": {"kind": "image", "prompt": "Un chat mignon", "variations": 4, "size": "512x512"},
    "retry_job": {},
    "create_key": {"name": "nightly report", "scopes": ["jobs:read", "media:read"], "expires_in_days": 90},
    "sign_in_with_key": {"key": KEY},
    "begin_upload": {
        "filename": "start.png",
        "content_type": "image/png",
        "size_bytes": 524288,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
    "begin_worker_upload": {
        "job_id": JOB,
        "content_type": "image/png",
        "size_bytes": 524288,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
    "delete_generations": {"ids": [JOB]},
    "restore_generations": {"ids": [JOB]},
    "change_favourites": {"add": [JOB]},
    "create_album": {"name": "Chats", "description": "Les plus beaux", "items": [JOB]},
    "change_album": {"name": "Chats à lunettes", "cover_id": JOB},
    "change_album_items": {"add": [JOB], "remove": []},
    "create_share": {"generation_id": JOB, "expires_in_seconds": 86400, "password": "open sesame"},
    "unlock_shared": {"password": "open sesame"},
    "read_notifications": {"all": True},
    "create_webhook_endpoint": {
        "url": "https://example.com/hooks/sorami",
        "event_types": ["job.completed", "job.failed"],
        "kinds": ["image", "video"],
        "description": "The shop's catalogue",
    },
    "change_webhook_endpoint": {"event_types": ["job.completed"], "throttle_per_second": 5},
    "create_channel": {"url": "ntfys://sorami-of-the-shop", "event_types": ["job.failed"], "language": "en"},
    "change_channel": {"digest_seconds": 3600},
    "rotate_webhook_secret": {"overlap_hours": 24},
    "recover_webhook_endpoint": {"since": "2026-11-20T00:00:00Z"},
    "pause_work": {"reason": "the provider announced an outage"},
    "replay_dead_letters": {"topic": "job.progress", "consumer": "persistence"},
    "assign_orphan": {"user_id": "user_2abcDEF"},
    "report_image": _completed({"images": [_IMAGE]}),
    "report_video": _completed(
        {"videos": [_IMAGE | {"file_path": f"videos/{JOB}/video_1.mp4", "format": "MP4", "dimensions": "1280x720"}]}
    ),
}


def with_examples(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with an example at every body."""
    for operations in document["paths"].values():
        for operation in operations.values():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is not None and operation["operationId"] in EXAMPLES:
                body["example"] = EXAMPLES[operation["operationId"]]
    return document
