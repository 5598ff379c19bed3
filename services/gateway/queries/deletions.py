"""What a person deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.kinds import KINDS
from services.runtime.own_rows import OwnRows

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


async def deletions(own: OwnRows, ids: Sequence[str]) -> dict[str, Deleted]:
    """Return the owner's deletions among these ids, by id."""
    rows = await own.fetch(_DELETED, list(ids), own.person_id)
    return {row["generation_id"]: Deleted(**row) for row in rows}


async def own_generations(own: OwnRows, ids: Sequence[str]) -> set[str]:
    """Return those of the ids that are generations of the owner, deleted ones too."""
    return {row["id"] for row in await own.fetch(_OWN, list(ids), own.person_id)}


async def open_jobs(own: OwnRows, ids: Sequence[str]) -> list[tuple[str, str]]:
    """Return those of the ids that are jobs which have not ended, each with its kind."""
    return [(row["id"], row["kind"]) for row in await own.fetch(_OPEN, list(ids))]
