"""What a person uploaded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.runtime.database import Connection, Pool
from services.runtime.own_rows import OwnRows

_FIELDS = """id, owner_id, sha256, storage_key, filename, content_type, size_bytes, state, created_at, expires_at,
    completed_at, last_used_at"""
_ONE = f"SELECT {_FIELDS} FROM sorami.uploads WHERE id = $1 AND owner_id = $2"  # noqa: S608 - a constant
_SAME = f"SELECT {_FIELDS} FROM sorami.uploads WHERE owner_id = $1 AND sha256 = $2"  # noqa: S608 - a constant
_PAGE = f"""
    SELECT {_FIELDS} FROM sorami.uploads
    WHERE owner_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
    ORDER BY created_at DESC, id DESC LIMIT $4
"""  # noqa: S608 - a constant
_OWN_IMAGE = """
    SELECT f.filename FROM sorami.files f JOIN sorami.jobs j ON j.id = f.job_id
    WHERE f.token = $1 AND j.owner_id = $2 AND f.kind = 'image' AND f.storage_key IS NOT NULL
      AND NOT EXISTS (SELECT FROM sorami.deletions gone WHERE gone.generation_id = f.job_id)
"""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as its owner sees it, with its object's key."""

    id: str
    owner_id: str
    sha256: str
    storage_key: str
    filename: str | None
    content_type: str
    size_bytes: int
    state: str
    created_at: datetime
    expires_at: datetime
    completed_at: datetime | None
    last_used_at: datetime

    @property
    def ready(self) -> bool:
        return self.state == "ready"


def upload_of(row: Any) -> Upload | None:
    """Return the upload of a row."""
    return Upload(**row) if row else None


async def upload(own: OwnRows, upload_id: str) -> Upload | None:
    """Return the owner's upload of this id."""
    return upload_of(await own.fetchrow(_ONE, upload_id, own.person_id))


async def same_bytes(pool: Pool | Connection, owner_id: str, sha256: str) -> Upload | None:
    """Return the owner's upload of these bytes."""
    return upload_of(await pool.fetchrow(_SAME, owner_id, sha256))


async def uploads(own: OwnRows, *, before: tuple[Any, ...] | None, limit: int) -> list[Upload]:
    """Return a page of the owner's uploads, newest first, before a position."""
    moment, place = before if before else (None, None)
    return [Upload(**row) for row in await own.fetch(_PAGE, own.person_id, moment, place, limit)]


async def own_image(own: OwnRows, token: str) -> str | None:
    """Return the file name of an image of this owner that lies in our bucket, by the token of its address."""
    name: str | None = await own.fetchval(_OWN_IMAGE, token, own.person_id)
    return name
