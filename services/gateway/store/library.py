"""What people keep: favourites and albums. Every statement takes only what is the owner's and not deleted."""

from collections.abc import Sequence

from contracts.kinds import KINDS, Kind
from services.runtime.database import Connection, Pool


def _mine(kind: Kind) -> str:
    # The author is compared so that no index knows it: the rows are found by their ids, however many the author has.
    return f"""SELECT g.id, '{kind.name}' AS kind, g."createdAt" AS at FROM {kind.generations_table} g
               WHERE g.id = ANY($1::text[]) AND coalesce(g."authorId" = $2, false)
                 AND NOT EXISTS (SELECT FROM sorami.deletions gone WHERE gone.generation_id = g.id)"""  # noqa: S608


# my_generations: which of these ids are the owner's and not deleted; every write by ids begins with it.
MY_GENERATIONS = " UNION ALL ".join(_mine(kind) for kind in KINDS.values())

_MINE = f"SELECT id, kind, at::timestamptz AS at FROM ({MY_GENERATIONS}) found"  # noqa: S608 - our own statement

ADD_FAVOURITES = f"""
    INSERT INTO sorami.favourites (generation_id, kind, made_at, owner_id)
    SELECT id, kind, at, $2 FROM ({_MINE}) mine ORDER BY id
    ON CONFLICT (owner_id, generation_id) DO NOTHING
"""  # noqa: S608
REMOVE_FAVOURITES = "DELETE FROM sorami.favourites WHERE owner_id = $1 AND generation_id = ANY($2::text[])"

INSERT_ALBUM = "INSERT INTO sorami.albums (id, owner_id, name, description) VALUES ($1, $2, $3, $4)"
UPDATE_ALBUM = """
    UPDATE sorami.albums SET name = CASE WHEN $3 THEN $4 ELSE name END,
        description = CASE WHEN $5 THEN $6 ELSE description END,
        cover_id = CASE WHEN $7 THEN $8 ELSE cover_id END, updated_at = now()
    WHERE id = $2 AND owner_id = $1
"""
DELETE_ALBUM = "DELETE FROM sorami.albums WHERE id = $2 AND owner_id = $1 RETURNING id"
ADD_ITEMS = f"""
    INSERT INTO sorami.album_items (album_id, generation_id, kind, made_at)
    SELECT $3, id, kind, at FROM ({_MINE}) mine ORDER BY id
    ON CONFLICT (album_id, generation_id) DO NOTHING
"""  # noqa: S608
REMOVE_ITEMS = "DELETE FROM sorami.album_items WHERE album_id = $1 AND generation_id = ANY($2::text[])"
TOUCH_ALBUM = "UPDATE sorami.albums SET updated_at = now() WHERE id = $1"


async def add_favourites(connection: Pool | Connection, owner_id: str, ids: Sequence[str]) -> None:
    """Note favourites; those that are noted already stay as they are."""
    await connection.execute(ADD_FAVOURITES, list(ids), owner_id)


async def remove_favourites(connection: Pool | Connection, owner_id: str, ids: Sequence[str]) -> None:
    """Forget favourites."""
    await connection.execute(REMOVE_FAVOURITES, owner_id, list(ids))


async def add_items(connection: Pool | Connection, owner_id: str, album_id: str, ids: Sequence[str]) -> None:
    """Put generations of the owner into an album of the owner."""
    await connection.execute(ADD_ITEMS, list(ids), owner_id, album_id)


async def remove_items(connection: Pool | Connection, album_id: str, ids: Sequence[str]) -> None:
    """Take generations out of an album."""
    await connection.execute(REMOVE_ITEMS, album_id, list(ids))
