"""Keep what was made: favourites and albums, one by one and in bulk; what is not one's own is never touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.ids import new_id
from services.gateway.queries import gallery, library
from services.gateway.queries.library import AlbumView
from services.gateway.store.library import (
    DELETE_ALBUM,
    INSERT_ALBUM,
    TOUCH_ALBUM,
    UPDATE_ALBUM,
    add_favourites,
    add_items,
    remove_favourites,
    remove_items,
)
from services.runtime.database import Pool, transaction
from services.runtime.own_rows import OwnRows


class GenerationNotFound(Exception):
    """There is no generation of this id among the caller's."""


class AlbumNotFound(Exception):
    """There is no album of this id among the caller's."""


class CoverNotInAlbum(Exception):
    """The cover of an album must be one of its items."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a bulk change did; `not_found` are ids that are absent or somebody else's."""

    added: list[str]
    removed: list[str]
    not_found: list[str]


async def _sorted_out(pool: Pool, owner_id: str, add: Sequence[str], remove: Sequence[str]) -> Changed:
    wanted = list(dict.fromkeys([*add, *remove]))
    known = await gallery.my_generations(OwnRows(pool, owner_id), wanted)
    return Changed(
        added=[one for one in dict.fromkeys(add) if one in known],
        removed=[one for one in dict.fromkeys(remove) if one in known],
        not_found=[one for one in wanted if one not in known],
    )


async def change_favourites(pool: Pool, owner_id: str, add: Sequence[str], remove: Sequence[str]) -> Changed:
    """Note and forget favourites."""
    changed = await _sorted_out(pool, owner_id, add, remove)
    async with transaction(pool) as connection:
        await add_favourites(connection, owner_id, changed.added)
        await remove_favourites(connection, owner_id, changed.removed)
    return changed


async def make_album(
    pool: Pool, owner_id: str, name: str, description: str | None, items: Sequence[str]
) -> tuple[AlbumView, Changed]:
    """Make an album with these generations in it."""
    changed = await _sorted_out(pool, owner_id, items, [])
    album_id = new_id()
    async with transaction(pool) as connection:
        await connection.execute(INSERT_ALBUM, album_id, owner_id, name, description)
        await add_items(connection, owner_id, album_id, changed.added)
    return await owned_album(pool, owner_id, album_id), changed


async def owned_album(pool: Pool, owner_id: str, album_id: str) -> AlbumView:
    """Return the owner's album; raises AlbumNotFound."""
    found = await library.album(OwnRows(pool, owner_id), album_id)
    if found is None:
        raise AlbumNotFound
    return found


async def change_items(pool: Pool, owner_id: str, album_id: str, add: Sequence[str], remove: Sequence[str]) -> Changed:
    """Put generations into an album and take others out; raises AlbumNotFound."""
    await owned_album(pool, owner_id, album_id)
    changed = await _sorted_out(pool, owner_id, add, remove)
    async with transaction(pool) as connection:
        await add_items(connection, owner_id, album_id, changed.added)
        await remove_items(connection, album_id, changed.removed)
        await connection.execute(TOUCH_ALBUM, album_id)
    return changed


async def change_album(pool: Pool, owner_id: str, album_id: str, given: dict[str, Any]) -> AlbumView:
    """Change what is given of name, description and cover_id; raises AlbumNotFound or CoverNotInAlbum."""
    await owned_album(pool, owner_id, album_id)
    cover_id = given.get("cover_id")
    if cover_id is not None and not await gallery.is_in_album(OwnRows(pool, owner_id), album_id, cover_id):
        raise CoverNotInAlbum
    values: list[Any] = []
    for name in ("name", "description", "cover_id"):
        values += [name in given, given.get(name)]
    await pool.execute(UPDATE_ALBUM, owner_id, album_id, *values)
    return await owned_album(pool, owner_id, album_id)


async def delete_album(pool: Pool, owner_id: str, album_id: str) -> None:
    """Delete an album, its shares with it; what lies in it stays. Raises AlbumNotFound."""
    if await pool.fetchval(DELETE_ALBUM, owner_id, album_id) is None:
        raise AlbumNotFound
