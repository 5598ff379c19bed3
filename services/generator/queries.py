"""What the generator reads beside its own tasks."""

from typing import Any

from services.runtime.database import Pool

_OWN_OBJECT = """
    SELECT f.storage_key FROM sorami.files f JOIN sorami.jobs j ON j.id = f.job_id
    WHERE f.token = $1 AND j.owner_id = $2 AND f.kind = 'image' AND f.storage_key IS NOT NULL
      AND NOT EXISTS (SELECT FROM sorami.deletions gone WHERE gone.generation_id = f.job_id)
"""
_OWN_UPLOAD = "SELECT storage_key, sha256 FROM sorami.uploads WHERE id = $1 AND owner_id = $2 AND state = 'ready'"


async def own_object(pool: Pool, token: str, owner_id: str) -> str | None:
    """Return the object key of an image that this owner may use, or None."""
    key: str | None = await pool.fetchval(_OWN_OBJECT, token, owner_id)
    return key


async def own_upload(pool: Pool, upload_id: str, owner_id: str) -> Any:
    """Return `storage_key` and `sha256` of a finished upload of this owner, or None."""
    return await pool.fetchrow(_OWN_UPLOAD, upload_id, owner_id)
