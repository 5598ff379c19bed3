"""Albums and shares as their owners see them, and what lies behind a share."""

from dataclasses import dataclass
from datetime import datetime

from contracts.kinds import KINDS, Kind
from services.gateway.queries.generations import not_deleted, prompt_of
from services.runtime.database import Pool
from services.runtime.own_rows import OwnRows


@dataclass(frozen=True, slots=True)
class AlbumView:
    """An album; `cover_id` is the chosen cover, else the newest item, when either can still be shown."""

    id: str
    name: str
    description: str | None
    cover_id: str | None
    count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ShareView:
    """A share as its owner sees it."""

    id: str
    prefix: str
    generation_id: str | None
    album_id: str | None
    title: str | None
    show_prompt: bool
    has_password: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenShare:
    """A share as whoever has its address meets it; `is_over` when it was revoked or has expired."""

    id: str
    owner_id: str
    generation_id: str | None
    album_id: str | None
    album_name: str | None
    show_prompt: bool
    password_hash: str | None
    expires_at: datetime | None
    is_over: bool


@dataclass(frozen=True, slots=True)
class SharedFile:
    """Where the bytes of a shared file lie."""

    storage_key: str | None
    external_url: str | None
    thumbnail_key: str | None
    thumbnails: str | None
    filename: str
    content_type: str | None
    media_format: str | None


_SHOWN = not_deleted("i.generation_id")
_ALBUM = f"""
    SELECT a.id, a.name, a.description, a.created_at, a.updated_at,
           coalesce((SELECT i.generation_id FROM sorami.album_items i
                     WHERE i.album_id = a.id AND i.generation_id = a.cover_id AND {_SHOWN}),
                    (SELECT i.generation_id FROM sorami.album_items i
                     WHERE i.album_id = a.id AND {_SHOWN}
                     ORDER BY i.made_at DESC, i.generation_id DESC LIMIT 1)) AS cover_id,
           (SELECT count(*) FROM sorami.album_items i WHERE i.album_id = a.id AND {_SHOWN}) AS count
    FROM sorami.albums a WHERE a.owner_id = $1
"""  # noqa: S608 - our own condition
ALBUM = f"{_ALBUM} AND a.id = $2"
ALBUMS = f"""{_ALBUM} AND (a.created_at, a.id) < ($2::timestamptz, $3::text)
    ORDER BY a.created_at DESC, a.id DESC LIMIT $4"""

_SHARE = f"""
    SELECT s.id, s.prefix, s.generation_id, s.album_id,
           coalesce((SELECT a.name FROM sorami.albums a WHERE a.id = s.album_id),
                    {prompt_of("s.generation_id", "$1")}) AS title,
           s.show_prompt, s.password_hash IS NOT NULL AS has_password, s.created_at, s.expires_at, s.revoked_at
    FROM sorami.shares s WHERE s.owner_id = $1
"""  # noqa: S608 - our own expression
SHARE = f"{_SHARE} AND s.id = $2"
SHARES = f"""{_SHARE} AND (s.created_at, s.id) < ($2::timestamptz, $3::text)
    ORDER BY s.created_at DESC, s.id DESC LIMIT $4"""

# open_share: judged by the database's clock at every request; nothing of it is ever kept.
OPEN_SHARE = f"""
    SELECT s.id, s.owner_id, s.generation_id, s.album_id, a.name AS album_name, s.show_prompt, s.password_hash,
           s.expires_at,
           s.revoked_at IS NOT NULL OR coalesce(s.expires_at <= now(), false)
           OR (s.generation_id IS NOT NULL AND NOT {not_deleted("s.generation_id")}) AS is_over
    FROM sorami.shares s LEFT JOIN sorami.albums a ON a.id = s.album_id
    WHERE s.token_hash = $1
"""  # noqa: S608 - our own condition


def _shared_file(kind: Kind) -> str:
    return f"""
        SELECT s.storage_key, coalesce(s.external_url, CASE WHEN s.id IS NULL THEN f."fileUrl" END) AS external_url,
               s.thumbnail_key, (to_jsonb(s)->'thumbnails')::text AS thumbnails, f.filename, s.content_type,
               f.format AS media_format
        FROM {kind.files_table} f JOIN {kind.generations_table} g ON g.id = f."generationId"
        LEFT JOIN sorami.files s ON s.id = f.id
        WHERE f.id = $1 AND g."authorId" = $2 AND {not_deleted("g.id")}
          AND (g.id = $3 OR EXISTS (SELECT FROM sorami.album_items i
                                    WHERE i.album_id = $4 AND i.generation_id = g.id))"""  # noqa: S608 - declared names


SHARED_FILE = " UNION ALL ".join(_shared_file(kind) for kind in KINDS.values())


async def album(own: OwnRows, album_id: str) -> AlbumView | None:
    """Return the owner's album."""
    row = await own.fetchrow(ALBUM, own.person_id, album_id)
    return AlbumView(**row) if row else None


async def albums(own: OwnRows, after: tuple[datetime, str], limit: int) -> list[AlbumView]:
    """Return a page of the owner's albums, newest first."""
    return [AlbumView(**row) for row in await own.fetch(ALBUMS, own.person_id, *after, limit)]


async def share(own: OwnRows, share_id: str) -> ShareView | None:
    """Return the owner's share."""
    row = await own.fetchrow(SHARE, own.person_id, share_id)
    return ShareView(**row) if row else None


async def shares(own: OwnRows, after: tuple[datetime, str], limit: int) -> list[ShareView]:
    """Return a page of the owner's shares, newest first."""
    return [ShareView(**row) for row in await own.fetch(SHARES, own.person_id, *after, limit)]


async def open_share(pool: Pool, token_hash: bytes) -> OpenShare | None:
    """Return the share of a token."""
    row = await pool.fetchrow(OPEN_SHARE, token_hash)
    return OpenShare(**row) if row else None


async def shared_file(own: OwnRows, found: OpenShare, file_id: str) -> SharedFile | None:
    """Return a file of a share, or None for any other file."""
    row = await own.fetchrow(SHARED_FILE, file_id, own.person_id, found.generation_id, found.album_id)
    return SharedFile(**row) if row else None
