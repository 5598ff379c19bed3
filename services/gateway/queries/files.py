"""What lies behind a lasting address."""

from dataclasses import dataclass

from services.runtime.database import Pool


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where the bytes of a lasting address lie."""

    storage_key: str | None
    external_url: str | None
    thumbnail_key: str | None
    filename: str
    content_type: str


_FILE = """
    SELECT storage_key, external_url, thumbnail_key, filename, content_type FROM sorami.files WHERE token = $1
"""


async def file_by_token(pool: Pool, token: str) -> StoredFile | None:
    """Return the file behind a lasting address."""
    row = await pool.fetchrow(_FILE, token)
    return StoredFile(**row) if row else None
