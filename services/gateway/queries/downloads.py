"""The files of generations, as a download packs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.kinds import KINDS, Kind
from services.gateway.queries.generations import not_deleted
from services.runtime.own_rows import OwnRows


@dataclass(frozen=True, slots=True)
class DownloadFile:
    """A file of a generation: an object of ours (`storage_key`), or an address that somebody else serves."""

    generation_id: str
    prompt: str
    made_at: datetime
    filename: str
    storage_key: str | None
    size_bytes: int | None
    address: str


def _statement(kind: Kind) -> str:
    return f"""
        SELECT g.id AS generation_id, g.prompt, g."createdAt" AS made_at, f.filename, s.storage_key, s.size_bytes,
               f."fileUrl" AS address, coalesce(s.index, 0) AS place, f.id AS file_id
        FROM {kind.generations_table} g
        LEFT JOIN {kind.files_table} f ON f."generationId" = g.id
        LEFT JOIN sorami.files s ON s.id = f.id
        WHERE g.id = ANY($1::text[]) AND g."authorId" || '' = $2 AND {not_deleted("g.id")}
    """  # noqa: S608 - names come from the declared kinds


_FILES = " UNION ALL ".join(_statement(kind) for kind in KINDS.values()) + " ORDER BY made_at, 1, place, file_id"


# Only what is there now: a generation that was deleted stays in its album until it is purged.
_ITEMS = f"""
    SELECT i.generation_id FROM sorami.albums a LEFT JOIN sorami.album_items i
        ON i.album_id = a.id AND {not_deleted("i.generation_id")}
    WHERE a.id = $1 AND a.owner_id = $2 ORDER BY i.made_at DESC, i.generation_id DESC LIMIT $3
"""  # noqa: S608 - constant parts only


async def ids_in_album(own: OwnRows, album_id: str, most: int) -> list[str] | None:
    """Return up to `most` generations of the owner's album, newest first; None when there is no such album."""
    rows = await own.fetch(_ITEMS, album_id, own.person_id, most)
    return [row["generation_id"] for row in rows if row["generation_id"] is not None] if rows else None


async def files_of(own: OwnRows, ids: Sequence[str]) -> tuple[set[str], list[DownloadFile]]:
    """Return which of the ids are generations of the owner, and their files in order."""
    rows = await own.fetch(_FILES, list(ids), own.person_id)
    files = [
        DownloadFile(
            generation_id=row["generation_id"],
            prompt=row["prompt"],
            made_at=row["made_at"].replace(tzinfo=UTC),
            filename=row["filename"],
            storage_key=row["storage_key"],
            size_bytes=row["size_bytes"],
            address=row["address"],
        )
        for row in rows
        if row["file_id"] is not None
    ]
    return {row["generation_id"] for row in rows}, files
