"""The API keys of a person, without what is secret of them."""

from dataclasses import dataclass
from datetime import datetime

from services.runtime.database import Connection, Pool
from services.runtime.own_rows import OwnRows

_KEYS = """
    SELECT id, prefix, name, scopes, created_at, expires_at, last_used_at FROM sorami.api_keys
    WHERE owner_id = $1 AND revoked_at IS NULL
      AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::text))
    ORDER BY created_at DESC, id DESC LIMIT $4
"""
_OWNER = "SELECT owner_id FROM sorami.api_keys WHERE id = $1"
_REVOKED = "SELECT EXISTS (SELECT FROM sorami.api_keys WHERE id = $1 AND revoked_at IS NOT NULL)"


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as its owner sees it."""

    id: str
    prefix: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


async def keys_of(own: OwnRows, *, before: tuple[datetime, str] | None, limit: int) -> list[KeyView]:
    """Return a person's keys that were not revoked, newest first."""
    moment, last_id = before or (None, None)
    rows = await own.fetch(_KEYS, own.person_id, moment, last_id, limit)
    return [KeyView(**(dict(row) | {"scopes": tuple(row["scopes"])})) for row in rows]


async def was_revoked(connection: Pool | Connection, key_id: str | None) -> bool:
    """Tell whether this key was revoked, however lately."""
    return bool(await connection.fetchval(_REVOKED, key_id))


async def key_owner(pool: Pool, key_id: str) -> str | None:
    """Return whose key this is; None where there is none."""
    owner: str | None = await pool.fetchval(_OWNER, key_id)
    return owner
