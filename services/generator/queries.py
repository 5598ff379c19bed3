"""What the generator reads beside its own tasks."""

from services.runtime.database import Pool

_OWN_OBJECT = """
    SELECT f.storage_key FROM sorami.files f JOIN sorami.jobs j ON j.id = f.job_id
    WHERE f.token = $1 AND j.owner_id = $2 AND f.kind = 'image' AND f.storage_key IS NOT NULL
"""


async def own_object(pool: Pool, token: str, owner_id: str) -> str | None:
    """Return the object key of an image that this owner may use, or None."""
    key: str | None = await pool.fetchval(_OWN_OBJECT, token, owner_id)
    return key
