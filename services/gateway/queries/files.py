"""What lies behind a lasting address."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.runtime.database import Pool


class MediaGone(Exception):
    """The file of this address was deleted."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where the bytes of a lasting address lie; a thumbnail has `width`, `format` and `key`."""

    storage_key: str | None
    external_url: str | None
    thumbnail_key: str | None
    filename: str
    content_type: str
    thumbnails: Sequence[Mapping[str, Any]]


_FILE = """
    SELECT f.storage_key, f.external_url, f.thumbnail_key, f.filename, f.content_type, f.thumbnails,
           EXISTS (SELECT FROM sorami.deletions d WHERE d.generation_id = f.job_id) AS deleted
    FROM sorami.files f WHERE f.token = $1
"""
_PREVIEW = """
    SELECT j.preview->>'key' FROM sorami.jobs j
    WHERE j.preview->>'token' = $1 AND j.preview IS NOT NULL
      AND NOT EXISTS (SELECT FROM sorami.deletions d WHERE d.generation_id = j.id)
"""
_GONE = "SELECT EXISTS (SELECT FROM sorami.gone_media WHERE token = $1)"


async def preview_by_token(pool: Pool, token: str) -> str | None:
    """Return the object key of the unfinished picture behind an address; None when its job has ended."""
    key: str | None = await pool.fetchval(_PREVIEW, token)
    return key


async def file_by_token(pool: Pool, token: str) -> StoredFile | None:
    """Return the file behind a lasting address; raises MediaGone when it was deleted."""
    row = await pool.fetchrow(_FILE, token)
    if row is None:
        if await pool.fetchval(_GONE, token):
            raise MediaGone
        return None
    if row["deleted"]:
        raise MediaGone
    return StoredFile(
        storage_key=row["storage_key"],
        external_url=row["external_url"],
        thumbnail_key=row["thumbnail_key"],
        filename=row["filename"],
        content_type=row["content_type"],
        thumbnails=json.loads(row["thumbnails"]) if row["thumbnails"] else (),
    )
