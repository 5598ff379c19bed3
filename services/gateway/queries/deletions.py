"""What a person deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.kinds import KINDS
from services.runtime.database import Pool

_DELETED = """
    SELECT generation_id, kind, deleted_at, purge_after, purged_at FROM sorami.deletions
    WHERE generation_id = ANY($1::text[]) AND owner_id = $2
"""
# The author as an expression: the few ids are looked up, and not the many rows of their author.
_OWN = " UNION ALL ".join(
    f"""SELECT id FROM {kind.generations_table} WHERE id = ANY($1::text[]) AND "authorId" || '' = $2"""  # noqa: S608
    for kind in KINDS.values()
)
_OPEN = "SELECT id, kind FROM sorami.jobs WHERE id = ANY($1::text[]) AND status IN ('PENDING', 'GENERATING')"


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deletion; `purged_at` is set when nothing is left but this."""

    generation_id: str
    kind: str
    deleted_at: datetime
    purge_after: datetime
    purged_at: datetime | None


async def deletions(pool: Pool, ids: Sequence[str], owner_id: str) -> dict[str, Deleted]:
    """Return the owner's deletions among these ids, by id."""
    rows = await pool.fetch(_DELETED, list(ids), owner_id)
    return {row["generation_id"]: Deleted(**row) for row in rows}


async def own_generations(pool: Pool, ids: Sequence[str], owner_id: str) -> set[str]:
    """Return those of the ids that are generations of the owner, deleted ones too."""
    return {row["id"] for row in await pool.fetch(_OWN, list(ids), owner_id)}


async def open_jobs(pool: Pool, ids: Sequence[str]) -> list[tuple[str, str]]:
    """Return those of the ids that are jobs which have not ended, each with its kind."""
    return [(row["id"], row["kind"]) for row in await pool.fetch(_OPEN, list(ids))]
